"use strict";
// Pages work without this. With it times are the viewer's, the hour to answer goes on being counted, and what is new shows by itself.
(() => {
  const minute = 60000;
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

  // In the words of the server (`ago` in words.rs, `left` in columns.rs).
  const ago = (span) => {
    const all = Math.floor(Math.abs(span) / minute);
    const [days, hours, minutes] = [Math.floor(all / 1440), Math.floor(all / 60) % 24, all % 60];
    if (days) return hours ? `${days} d ${hours} h` : `${days} d`;
    if (hours) return minutes ? `${hours} h ${minutes} min` : `${hours} h`;
    return minutes ? `${minutes} min` : "less than a minute";
  };
  const count = (root) => {
    for (const left of root.querySelectorAll("[data-end]")) {
      const span = new Date(left.dataset.end) - Date.now();
      left.className = span < 0 ? "late" : span <= 20 * minute ? "soon" : "";
      left.textContent = span < 0 ? `late by ${ago(span)}` : `${ago(span)} left`;
    }
  };

  const showAll = (root) => root.querySelectorAll("[data-all]").forEach((all) => { all.closest("label").hidden = false; });
  const ready = (root) => [local, count, showAll].forEach((make) => make(root));
  ready(document);
  setInterval(() => count(document), minute / 2);
  document.addEventListener("change", ({ target }) => {
    if (target.dataset.all) {
      document.querySelectorAll(`input[name="${target.dataset.all}"]`).forEach((box) => { box.checked = target.checked; });
    }
  });

  // Enter in a box presses the first button of its form, which nobody means.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.type === "checkbox" && event.target.form?.method === "post") event.preventDefault();
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
  const news = live.textContent;
  const bare = document.title.replace(/^\(\d+\) /, "");
  let mark = live.dataset.mark;
  let fresh = Date.now();
  const say = (text, isSeen) => {
    live.textContent = text;
    live.className = isSeen ? "panel notice" : "sr";
    live.hidden = false;
  };
  // Somebody has ticked something, or is typing.
  const isBusy = () => document.querySelector("#alerts input:checked, main textarea:focus, main input:focus, main select:focus");
  const ask = (address, accept) => fetch(address, { headers: { accept, "x-of-itself": "1" }, cache: "no-store", redirect: "manual" });
  const isOver = (answer) => answer.status === 401 || answer.type === "opaqueredirect";
  // What has the focus, to give it back to what takes its place.
  const name = (it) => it.getAttribute("href") || it.getAttribute("value") || it.textContent;

  const replace = async () => {
    const answer = await ask(location.href, "text/html");
    if (isOver(answer)) return end();
    if (!answer.ok) return false;
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (isBusy()) return false;
    for (const part of document.querySelectorAll("[data-fresh]")) {
      const its = next.getElementById(part.id);
      if (!its) continue;
      const held = part.contains(document.activeElement) && document.activeElement;
      const open = [...part.querySelectorAll("details")].map((details) => details.open);
      ready(its);
      its.querySelectorAll("details").forEach((details, n) => { details.open = open[n]; });
      part.replaceWith(its);
      if (held) [...its.querySelectorAll(held.tagName)].find((it) => name(it) === name(held))?.focus();
    }
    fresh = Date.now();
    return true;
  };
  const end = () => {
    clearInterval(timer);
    say("Your session has ended: reload the page to sign in again.", true);
    return false;
  };
  const look = async () => {
    if (document.hidden) return;
    try {
      const answer = await ask(live.dataset.pulse, "application/json");
      if (isOver(answer)) return void end();
      if (!answer.ok) return;
      const pulse = await answer.json();
      document.title = `(${pulse.unresolved}) ${bare}`;
      const isNew = pulse.mark !== mark;
      // What others do to an alert without opening or resolving it does not show in the mark.
      if (!isNew && Date.now() - fresh < 5 * minute) return;
      if (isBusy()) {
        if (isNew) say(news, true);
      } else if (await replace()) {
        mark = pulse.mark;
        if (isNew) say("What is new is shown.", false);
      }
    } catch { /* No network: the next look may have one. */ }
  };
  const timer = setInterval(look, minute / 2);
  document.addEventListener("visibilitychange", look);
})();
