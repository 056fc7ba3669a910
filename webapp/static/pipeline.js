// Moving cards on the board by dragging and by keys. Both press the button of the card's own menu that leads
// there, so that whatever is done is one form with one answer; without scripts the menu does it all.
"use strict";

(() => {
  const FAR = 6; // pixels before a press is a drag

  const stageOf = (card) => card.closest("[data-stage]").dataset.stage;
  const titleOf = (card) => card.querySelector("[data-open]").textContent.trim();
  const way = (card, stage) => card.querySelector(`[data-to-stage="${stage}"]`);
  const stages = () => [...document.querySelectorAll(".stage[data-stage]")];

  const announce = (text) => {
    const place = document.getElementById("announcer");
    if (place) place.textContent = text;
  };

  // --- Keys, on the card that has the focus ---

  const step = (card, by) => {
    const all = stages().map((each) => each.dataset.stage);
    const at = all.indexOf(stageOf(card));
    for (let there = at + by; there >= 0 && there < all.length; there += by) {
      const button = way(card, all[there]);
      if (button) {
        button.click();
        return;
      }
    }
    announce(`${titleOf(card)} cannot go further ${by > 0 ? "on" : "back"}.`);
  };

  document.addEventListener("keydown", (event) => {
    const card = event.target.closest?.("[data-card]");
    if (!card || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const by = event.shiftKey
      ? { ArrowRight: 1, ArrowLeft: -1 }[event.key]
      : { "]": 1, "[": -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    step(card, by);
  });

  // --- Dragging ---

  let drag = null;

  const under = (event) => document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-stage]");

  const begin = () => {
    drag.begun = true;
    drag.item.classList.add("dragged");
    drag.card.querySelector("details[open]")?.removeAttribute("open");
    document.documentElement.classList.add("dragging-a-card");
    for (const each of document.querySelectorAll("#board [data-stage]")) {
      const may = way(drag.card, each.dataset.stage);
      if (each.dataset.stage !== stageOf(drag.card)) each.classList.add(may ? "may" : "may-not");
    }
  };

  const end = () => {
    if (!drag) return;
    drag.item.classList.remove("dragged");
    drag.item.style.transform = "";
    document.documentElement.classList.remove("dragging-a-card");
    for (const each of document.querySelectorAll("#board [data-stage]")) {
      each.classList.remove("may", "may-not", "over");
    }
    drag = null;
  };

  document.addEventListener("pointerdown", (event) => {
    const card = event.target.closest("[data-card]");
    if (!card || event.button !== 0 || drag) return;
    // A finger scrolls; it drags by the grip alone.
    if (event.pointerType === "mouse" ? event.target.closest("details") : !event.target.closest("[data-grip]")) return;
    // What moves is the item around the card: htmx carries the style of what has an id over to what comes in
    // its place, as an attribute, which the policy forbids.
    const item = card.closest("li");
    drag = { card, item, id: event.pointerId, x: event.clientX, y: event.clientY, begun: false };
  });

  document.addEventListener("pointermove", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.begun) {
      if (Math.hypot(dx, dy) < FAR) return;
      if (event.pointerType === "mouse" && !event.buttons) {
        drag = null;
        return;
      }
      begin();
    }
    event.preventDefault();
    drag.item.style.transform = `translate(${dx}px, ${dy}px)`;
    const over = under(event);
    for (const each of document.querySelectorAll("#board [data-stage]")) {
      each.classList.toggle("over", each === over && each.classList.contains("may"));
    }
  });

  document.addEventListener("pointerup", (event) => {
    if (!drag || event.pointerId !== drag.id) return;
    const { card, begun } = drag;
    const over = begun ? under(event) : null;
    end();
    if (!begun) return;
    // What follows a drag is no click on the link that it began on.
    const swallow = (click) => {
      if (click.target.closest("[data-card]") !== card || click.target.closest("[data-to-stage]")) return;
      click.preventDefault();
      click.stopPropagation();
    };
    document.addEventListener("click", swallow, { capture: true });
    setTimeout(() => document.removeEventListener("click", swallow, { capture: true }), 0);
    const stage = over?.dataset.stage;
    if (!stage || stage === stageOf(card)) return;
    const button = way(card, stage);
    if (button) button.click();
    else announce(`${titleOf(card)} cannot go from ${stageOf(card)} to ${stage}.`);
  });

  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && drag) end();
  });

  // --- After a change ---

  document.addEventListener("htmx:afterSettle", () => {
    const board = document.getElementById("board");
    const active = document.activeElement;
    if (!board?.dataset.done || (active && active !== document.body && active.isConnected)) return;
    const card = document.getElementById(board.dataset.done);
    // On a phone, and where it left the board, its column is not shown: the undo is nearest to it.
    if (card?.checkVisibility()) card.focus();
    else board.querySelector(".done button, .done a")?.focus();
  });
})();
