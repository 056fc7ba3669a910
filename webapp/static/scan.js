// A scan as it goes on: what the server tells by events, and by being asked where it cannot stream.
// The page is brought in step with what came, so that nothing loses its focus and only what changed is drawn.
"use strict";

(() => {
  const live = document.querySelector("[data-live]");
  if (!live) return;

  const POLL = 2000;
  const TRIES = 3;
  let source = null;
  let timer = 0;
  let failures = 0;
  let over = false;

  // --- In step ---

  const sameKind = (one, other) =>
    one.nodeType === other.nodeType && one.nodeName === other.nodeName && one.id === other.id;

  const sync = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (!sameKind(old, fresh)) {
      old.replaceWith(fresh);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = fresh.nodeValue;
      return;
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    syncChildren(old, fresh);
  };

  const syncChildren = (old, fresh) => {
    const wanted = [...fresh.childNodes];
    wanted.forEach((child, at) => {
      const kept = child.id && [...old.children].find((each) => each.id === child.id);
      if (kept && kept !== old.childNodes[at]) old.insertBefore(kept, old.childNodes[at]);
      const there = old.childNodes[at];
      if (!there) old.append(child);
      else if (child.id && !kept) old.insertBefore(child, there);
      else sync(there, child);
    });
    while (old.childNodes.length > wanted.length) old.lastChild.remove();
  };

  const announce = (text) => {
    const place = document.getElementById("announcer");
    if (place && text && place.textContent !== text) place.textContent = text;
  };

  const show = (html) => {
    const fresh = document.createElement("template");
    fresh.innerHTML = html;
    const focused = document.activeElement;
    syncChildren(live, fresh.content);
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    const sum = live.querySelector("[data-announce]");
    if (!sum) return;
    announce(sum.dataset.announce);
    if ("ended" in sum.dataset) end();
  };

  const end = () => {
    over = true;
    quiet();
    for (const each of document.querySelectorAll("[data-while-running]")) each.hidden = true;
  };

  // --- Told by the server ---

  const listen = () => {
    source = new EventSource(live.dataset.events);
    source.addEventListener("progress", (event) => {
      failures = 0;
      show(event.data);
    });
    source.addEventListener("end", end);
    source.addEventListener("error", () => {
      // A stream that has had its time begins anew by itself. One that is refused does not.
      failures += 1;
      if (over || (source.readyState !== EventSource.CLOSED && failures < TRIES)) return;
      quiet();
      ask();
    });
  };

  // --- Asked ---

  const ask = async () => {
    timer = 0;
    try {
      const answer = await fetch(live.dataset.progress, { headers: { "HX-Request": "true" } });
      if (answer.status === 401) {
        location.reload();
        return;
      }
      if (answer.ok) show(await answer.text());
    } catch {
      // The server is away for a moment; the page says what it said, and asks again.
    }
    if (!over && !document.hidden) timer = setTimeout(ask, POLL);
  };

  const quiet = () => {
    if (source) source.close();
    source = null;
    clearTimeout(timer);
    timer = 0;
  };

  const begin = () => {
    if (over || source || timer) return;
    failures = 0;
    if (window.EventSource) listen();
    else ask();
  };

  // A page that nobody looks at takes no place from others.
  document.addEventListener("visibilitychange", () => (document.hidden ? quiet() : begin()));
  window.addEventListener("pagehide", quiet);
  window.addEventListener("pageshow", begin);
  begin();
})();
