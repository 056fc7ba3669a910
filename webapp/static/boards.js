// Boards: what a script makes easier. Everything here also works by forms alone.
"use strict";

(() => {
  // One address is sent by Enter, as from any field; a second line needs Shift, or comes by pasting.
  for (const field of document.querySelectorAll("[data-addresses]")) {
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || field.value.includes("\n")) return;
      event.preventDefault();
      field.form.requestSubmit();
    });
    const fit = () => {
      field.rows = Math.min(Math.max(field.value.split("\n").length, 1), 12);
    };
    field.addEventListener("input", fit);
    fit();
  }

  for (const all of document.querySelectorAll("[data-tick-all]")) {
    const boxes = [...document.querySelectorAll(`input[name="${all.dataset.tickAll}"]`)];
    const untickedIsThere = () => boxes.some((each) => !each.checked);
    const say = () => {
      all.textContent = untickedIsThere() ? "Tick all" : "Tick none";
    };
    all.addEventListener("click", () => {
      const tick = untickedIsThere();
      for (const each of boxes) each.checked = tick;
      say();
    });
    say();
  }

  // A look takes some seconds: the button says that it was heard, and is not pressed twice.
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!button || !button.matches("[data-waits], [formaction]")) return;
    const said = button.textContent;
    button.textContent = "Looking …";
    setTimeout(() => {
      button.disabled = true;
    });
    window.addEventListener("pageshow", () => {
      button.textContent = said;
      button.disabled = false;
    });
  });
})();
