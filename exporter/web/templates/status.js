"use strict";
(() => {
  const EVERY = 15_000; // milliseconds
  const byId = (id) => document.getElementById(id);
  let timer;
  let busy = false;

  // Puts a new state in the place of the old one, and leaves what its reader does as it is.
  function show(page) {
    const old = byId("main");
    const fresh = document.adoptNode(page.getElementById("main"));
    for (const part of fresh.querySelectorAll("details")) {
      const before = byId(part.id);
      if (before) part.open = before.open;
    }
    for (const field of fresh.querySelectorAll("input, select")) {
      const before = byId(field.id);
      if (before) field.value = before.value;
    }
    const focused = old.contains(document.activeElement) && document.activeElement.id;
    const said = byId("verdict").textContent;
    old.replaceWith(fresh);
    if (focused) byId(focused)?.focus({ preventScroll: true });
    document.title = page.title;
    if (byId("verdict").textContent !== said) byId("news").textContent = byId("verdict").textContent;
  }

  async function renew() {
    if (busy || !getSelection().isCollapsed) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(10_000) });
      if (!answer.ok) throw new Error(answer.status);
      show(new DOMParser().parseFromString(await answer.text(), "text/html"));
      byId("stale").hidden = true;
    } catch {
      byId("stale").hidden = false;
    } finally {
      busy = false;
    }
  }

  function pace() {
    clearInterval(timer);
    if (!document.hidden) timer = setInterval(renew, EVERY);
  }

  document.addEventListener("visibilitychange", () => {
    pace();
    if (!document.hidden) renew();
  });
  document.querySelector(".scripted").hidden = false;
  pace();
})();
