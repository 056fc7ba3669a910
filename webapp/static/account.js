// What the account's pages do better with a script: copying, and telling how strong a password is.
"use strict";

(() => {
  // Browsers let pages copy over https and from this machine alone; elsewhere the button stays away.
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const words = button.textContent;
    button.addEventListener("click", async () => {
      const place = document.getElementById(button.dataset.copy);
      const lines = [...place.querySelectorAll("li")].map((each) => each.textContent.trim());
      try {
        await navigator.clipboard.writeText(lines.length ? lines.join("\n") : place.value);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select it and copy";
      }
      setTimeout(() => { button.textContent = words; }, 4000);
      const announcer = document.getElementById("announcer");
      if (announcer) announcer.textContent = button.textContent;
    });
  }

  for (const field of document.querySelectorAll("input[data-strength]")) {
    const place = document.getElementById(field.dataset.strength);
    // As `strength` in scout/account.py tells it.
    const words = (length) =>
      length === 0 ? "" : length < 12 ? "Short." : length < 15 ? "Fair." : length < 20 ? "Good." : "Strong.";
    field.addEventListener("input", () => {
      const told = words([...field.value].length);
      if (place.textContent !== told) place.textContent = told;
    });
  }
})();
