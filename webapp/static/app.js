// What the pages do better with a script: keys, the appearance at once, words for screen readers.
// Every one of these things also works without it, by links and forms.
"use strict";

(() => {
  const root = document.documentElement;

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
    const form = event.target.form;
    if (form?.matches("[data-filters]") && event.target.matches("select")) form.requestSubmit();
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

  // --- The menu closes as menus do ---

  const menu = document.querySelector("[data-menu]");
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll(".menu[open]")) {
      if (!open.contains(event.target)) open.open = false;
    }
  });

  // --- What is chosen in the list ---

  const chosen = () => document.querySelectorAll("[data-choose]:checked");
  const bulk = document.querySelector("[data-bulk]");
  const tellChosen = () => {
    if (!bulk) return;
    const boxes = document.querySelectorAll("[data-choose]");
    const count = chosen().length;
    const matching = bulk.querySelector("[data-matching]");
    const whole = count > 0 && count === boxes.length;
    if (matching && !whole) matching.querySelector("input").checked = false;
    bulk.classList.toggle("active", count > 0);
    for (const page of document.querySelectorAll("[data-choose-page]")) {
      page.checked = whole;
      page.indeterminate = count > 0 && !whole;
    }
    if (matching) matching.hidden = !whole;
    const all = matching && matching.querySelector("input").checked;
    bulk.querySelector("[data-chosen]").textContent = all ? matching.dataset.matching : `${count} chosen`;
  };
  let lastChosen = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-choose]");
    if (!box) return;
    const boxes = [...document.querySelectorAll("[data-choose]")];
    if (event.shiftKey && lastChosen && lastChosen.isConnected) {
      const [from, to] = [boxes.indexOf(lastChosen), boxes.indexOf(box)].sort((a, b) => a - b);
      for (const each of boxes.slice(from, to + 1)) each.checked = box.checked;
    }
    lastChosen = box;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-choose-page]")) {
      for (const box of document.querySelectorAll("[data-choose]")) box.checked = event.target.checked;
      announce(event.target.checked ? `${chosen().length} jobs chosen` : "None chosen");
    }
    if (event.target.matches("[data-choose], [data-choose-page], [data-matching] input")) tellChosen();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-choose-none]")) return;
    for (const box of chosen()) box.checked = false;
    tellChosen();
  });
  // A browser that goes back keeps what was ticked.
  addEventListener("pageshow", tellChosen);

  // --- Copying an address ---

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
      announce("Copied.");
      button.dataset.done = "";
    } catch {
      // Pages without TLS have no clipboard: the address is selected, to be copied by hand.
      field.focus();
      field.select();
      announce("Selected: copy it with your keyboard.");
    }
  });

  // --- Keys ---
  //
  // A page declares its own by `data-key="e"` on what is to be clicked, and names it for the list of keys by
  // `data-key-words="edit"`. Inside a job's card a key is for the current card alone. `data-go="p"` on a link
  // is for g and then p. Cards are elements with `data-job`; links with `data-next` and `data-previous` are
  // what j and k press where there are none.

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
  const showKeys = () => {
    const list = dialog.querySelector(".keys");
    for (const old of list.querySelectorAll("[data-own]")) old.remove();
    for (const each of document.querySelectorAll("[data-key-words]")) {
      const row = document.createElement("div");
      row.dataset.own = "";
      const [term, key, words] = ["dt", "kbd", "dd"].map((name) => document.createElement(name));
      key.textContent = each.dataset.key;
      words.textContent = each.dataset.keyWords;
      term.append(key);
      row.append(term, words);
      list.prepend(row);
    }
    if (menu) menu.open = false;
    dialog.showModal();
  };
  for (const button of document.querySelectorAll("[data-show-keys]")) {
    button.addEventListener("click", showKeys);
  }

  let current = "";
  let wentTo = 0;
  const cards = () => [...document.querySelectorAll("[data-job]:not(.whole-job)")];
  const card = () =>
    (current && document.getElementById(current)) || document.querySelector(".whole-job[data-job]");

  const click = (element) => {
    if (element) element.click();
    return Boolean(element);
  };
  const step = (by) => {
    const all = cards();
    if (!all.length) return click(document.querySelector(by > 0 ? "[data-next]" : "[data-previous]"));
    const at = all.findIndex((each) => each.id === current);
    const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    for (const each of all) each.classList.toggle("current", each === next);
    current = next.id;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
    return true;
  };

  const press = (selector) => click(card()?.querySelector(selector));
  const own = (key) => {
    if (!/^[a-z0-9]$/.test(key)) return false;
    const selector = `[data-key="${key}"]`;
    return press(selector) || click([...document.querySelectorAll(selector)].find((each) => !each.closest("[data-job]")));
  };
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    o: () => press("[data-open]"),
    v: () => press("[data-original]"),
    c: () => press("[data-choose]"),
    n: () => click(document.querySelector(".pages [rel=next]")),
    p: () => click(document.querySelector(".pages [rel=prev]")),
    "/": () => {
      const field = document.querySelector("[data-search]");
      if (field) {
        field.focus();
        field.select();
      }
      return Boolean(field);
    },
    "?": showKeys,
    g: () => {
      wentTo = Date.now();
    },
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu?.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
      return;
    }
    if (!dialog || dialog.open || event.defaultPrevented || event.isComposing) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    if (!remembered() && event.key !== "?") return;
    if (Date.now() - wentTo < 1500) {
      wentTo = 0;
      const there = [...document.querySelectorAll("[data-go]")].find((each) => each.dataset.go === event.key);
      if (there) {
        event.preventDefault();
        location.assign(there.href);
        return;
      }
    }
    if (event.key === "Enter" && event.target.matches("[data-job]")) {
      press("[data-open]");
      return;
    }
    // What a page declares comes first: its x may mean something else than another's.
    if (own(event.key) || (Object.hasOwn(keys, event.key) && keys[event.key]() !== false)) event.preventDefault();
  });

  // --- Installed, and without a network ---

  if (dialog && "serviceWorker" in navigator) {
    addEventListener("load", () => {
      navigator.serviceWorker.register("/service-worker.js").catch(() => {
        // Browsers refuse it in private windows and without TLS; the pages work all the same.
      });
    });
  }
  document.querySelector("[data-again]")?.addEventListener("click", (event) => {
    event.preventDefault();
    location.reload();
  });
})();
