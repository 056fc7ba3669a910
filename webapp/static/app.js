// What the pages do better with a script: keys, the appearance at once, words for screen readers.
// Every one of these things also works without it, by links and forms.
"use strict";

(() => {
  const root = document.documentElement;
  root.classList.add("scripted");

  // --- The appearance, without loading the page again ---

  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    if (!event.target.matches("[data-themes]") || !button) return;
    event.preventDefault();
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `scout_theme=${button.value}; Max-Age=31536000; Path=/; SameSite=Lax${secure}`;
    root.dataset.theme = button.value;
    for (const each of event.target.querySelectorAll("button")) {
      each.setAttribute("aria-pressed", String(each === button));
    }
  });

  // --- Filters act when they are chosen ---

  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-filters]");
    if (form && event.target.matches("select")) form.requestSubmit();
  });

  // Addresses stay short: what is left at its default is not sent.
  document.addEventListener("formdata", (event) => {
    if (!event.target.matches("[data-filters]")) return;
    for (const [name, value] of [...event.formData.entries()]) {
      if (value === "") event.formData.delete(name);
    }
  });

  // --- What changed is said once, when it differs from what was said last ---

  const announce = (text) => {
    const place = document.getElementById("announcer");
    if (place && text && place.textContent !== text) place.textContent = text;
  };

  document.addEventListener("htmx:afterSettle", (event) => {
    const part = event.detail.elt;
    if (!part || !part.isConnected) return;
    const telling = part.matches("[data-announce]") ? part : part.querySelector("[data-announce]");
    if (telling) announce(telling.dataset.announce);
    if (part.matches("[data-job]")) {
      // The pressed button is gone with the old card: the new one takes over.
      if (document.activeElement === document.body) part.focus({ preventScroll: true });
      if (current === part.id) part.classList.add("current");
    }
  });

  document.addEventListener("htmx:responseError", (event) => {
    // 401: the session has ended. 400: the page is older than its session. Both are mended by a fresh page.
    if ([400, 401].includes(event.detail.xhr.status)) location.reload();
    else announce("That did not work. Load the page again and retry.");
  });

  // --- Keys ---

  const dialog = document.getElementById("keys");
  const onSwitch = document.querySelector("[data-keys-on]");
  const remembered = () => {
    try {
      return localStorage.getItem("keys") !== "off";
    } catch {
      return true;
    }
  };
  if (onSwitch) {
    onSwitch.checked = remembered();
    onSwitch.addEventListener("change", () => {
      try {
        localStorage.setItem("keys", onSwitch.checked ? "on" : "off");
      } catch {
        // Nothing can be remembered here; the keys stay on.
      }
    });
  }
  for (const button of document.querySelectorAll("[data-show-keys]")) {
    button.addEventListener("click", () => dialog.showModal());
  }

  let current = "";
  let wentTo = 0;
  const cards = () => [...document.querySelectorAll(".jobs [data-job]")];
  const card = () =>
    (current && document.getElementById(current)) || document.querySelector(".whole-job[data-job]");

  const step = (by) => {
    const all = cards();
    if (!all.length) return;
    const at = all.findIndex((each) => each.id === current);
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    for (const each of all) each.classList.toggle("current", each === next);
    current = next.id;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  const press = (selector) => {
    const found = card()?.querySelector(selector);
    if (found) found.click();
    return Boolean(found);
  };

  const places = { j: "/", b: "/sources", s: "/scans" };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: () => press("[data-open]"),
    v: () => press("[data-original]"),
    s: () => press('[data-key="s"]'),
    x: () => press('[data-key="x"]'),
    u: () => press('[data-key="u"]'),
    "/": () => {
      const field = document.querySelector("[data-search]");
      if (field) {
        field.focus();
        field.select();
      }
      return Boolean(field);
    },
    "?": () => dialog.showModal(),
    g: () => {
      wentTo = Date.now();
    },
  };

  document.addEventListener("keydown", (event) => {
    if (!dialog || dialog.open || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (!remembered() && event.key !== "?") return;
    if (Date.now() - wentTo < 1500 && places[event.key]) {
      event.preventDefault();
      location.assign(places[event.key]);
      return;
    }
    if (event.key === "Enter" && event.target.matches(".jobs [data-job]")) {
      press("[data-open]");
      return;
    }
    if (Object.hasOwn(keys, event.key) && keys[event.key]() !== false) event.preventDefault();
  });
})();
