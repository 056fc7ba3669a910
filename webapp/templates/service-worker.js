// Keeps the looks of the pages and what is shown without a network. No page with data is ever kept.
"use strict";

const KEPT = {{ kept|tojson }};
const STATIC = {{ static|tojson }} + "/";
const CACHE = "scout " + KEPT.join(" ");

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))));
  event.waitUntil(old);
});

self.addEventListener("fetch", (event) => {
  const asked = event.request;
  const address = new URL(asked.url);
  if (asked.method !== "GET" || address.origin !== location.origin) return;
  if (asked.mode === "navigate") {
    event.respondWith(fetch(asked).catch(() => caches.match(KEPT[0])));
  } else if (address.pathname.startsWith(STATIC) && address.searchParams.get("v")) {
    // Their addresses hold the hash of their content: what is kept is what would be sent.
    event.respondWith(fromCache(asked));
  }
});

const fromCache = async (asked) => {
  const kept = await caches.match(asked);
  if (kept) return kept;
  const answer = await fetch(asked);
  if (answer.ok) {
    const cache = await caches.open(CACHE);
    await cache.put(asked, answer.clone());
  }
  return answer;
};
