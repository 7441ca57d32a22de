"use strict";
// Pages work without this. With it times are the viewer's, the count of unresolved alerts stands in the title, and what is new is announced.
(() => {
  const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const local = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.valueOf())) {
        if (!time.title) time.title = time.textContent;
        time.textContent = shown.format(at);
      }
    }
  };
  local(document);

  const showAll = (root) => root.querySelectorAll("[data-all]").forEach((all) => { all.closest("label").hidden = false; });
  showAll(document);
  document.addEventListener("change", ({ target }) => {
    if (target.dataset.all) {
      document.querySelectorAll(`input[name="${target.dataset.all}"]`).forEach((box) => { box.checked = target.checked; });
    }
  });

  // A button that is pressed twice acts once anyway, by the key of its form: this only shows that it was heard.
  document.addEventListener("submit", ({ target }) => {
    if (target.method === "post") {
      setTimeout(() => target.querySelectorAll("button").forEach((button) => { button.disabled = true; }));
    }
  });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  const live = document.querySelector("[data-pulse]");
  if (!live) return;
  const bare = document.title.replace(/^\(\d+\) /, "");
  let mark = live.dataset.mark;
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(live.dataset.pulse, { headers: { accept: "application/json" }, cache: "no-store" });
      if (answer.status === 401) {
        live.textContent = "Your session has ended: reload the page to sign in again.";
        live.hidden = false;
        clearInterval(timer);
        return;
      }
      if (!answer.ok) return;
      const pulse = await answer.json();
      document.title = `(${pulse.unresolved}) ${bare}`;
      if (pulse.mark === mark) return;
      mark = pulse.mark;
      const busy = document.querySelector("main input:checked[name], main textarea:focus, main input:focus, main select:focus, dialog[open]");
      if (busy) {
        live.hidden = false;
        return;
      }
      const page = await fetch(location.href, { headers: { accept: "text/html" }, cache: "no-store" });
      if (!page.ok) return;
      const next = new DOMParser().parseFromString(await page.text(), "text/html");
      for (const part of document.querySelectorAll("[data-fresh]")) {
        const its = next.getElementById(part.id);
        if (its) {
          local(its);
          showAll(its);
          part.replaceWith(its);
        }
      }
    } catch { /* No network: the next look may have one. */ }
  };
  const timer = setInterval(look, 30000);
  document.addEventListener("visibilitychange", look);
})();
