// The inbox, alive: hears of changes, keeps what is being typed, and gives the keyboard its due. htmx does the rest.
"use strict";
(() => {
  const panes = document.getElementById("panes"), connection = document.getElementById("connection");
  const title = document.title;
  const ring = (name) => htmx.trigger(document.body, name);

  // ---- hearing

  let source = null, lostTimer = 0;
  const hear = () => {
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource(`/inbox/events?open=${encodeURIComponent(panes.dataset.open)}`);
    source.addEventListener("open", () => { clearTimeout(lostTimer); connection.hidden = true; });
    source.addEventListener("line", () => ring("line-changed"));
    source.addEventListener("conversation", () => ring("conversation-changed"));
    source.addEventListener("rest", () => source.close());
    source.addEventListener("error", () => {
      clearTimeout(lostTimer);
      lostTimer = setTimeout(() => { connection.hidden = false; }, 1500);
      if (source.readyState === EventSource.CLOSED) setTimeout(hear, 5000);
    });
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) hear(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) hear(); });

  // ---- what is replaced keeps its place

  const transcript = () => document.getElementById("transcript");
  const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  let place = null, unfolded = [], unveiled = [];
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "live") return;
    const box = transcript();
    place = box ? { top: box.scrollTop, end: atEnd(box) } : null;
    unfolded = Array.from(document.querySelectorAll("#live details[open]"), (one) => one.id);
    unveiled = Array.from(document.querySelectorAll("#live .unveil:checked"), (one) => one.id);
  });
  const drawn = (root) => {
    root.querySelectorAll("time").forEach((one) => {
      const at = new Date(one.dateTime), today = new Date().toDateString() === at.toDateString();
      const clock = at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
      one.textContent = today ? clock : `${at.toLocaleDateString(document.documentElement.lang)} ${clock}`;
    });
    const count = document.getElementById("count");
    document.title = count ? `(${count.textContent}) ${title}` : title;
  };
  document.body.addEventListener("htmx:afterSwap", (event) => {
    drawn(document);
    if (event.detail.target.id === "live") {
      const box = transcript(), kept = (id) => document.getElementById(id);
      unfolded.map(kept).forEach((one) => { if (one) one.open = true; });
      unveiled.map(kept).forEach((one) => { if (one) one.checked = true; });
      if (box && place) box.scrollTop = place.end ? box.scrollHeight : place.top;
    }
    if (event.detail.target.id && event.detail.target.id.startsWith("box-")) {
      const box = document.querySelector(`#${event.detail.target.id} textarea`);
      if (box) { box.focus(); box.setSelectionRange(box.value.length, box.value.length); }
    }
  });

  // ---- what could not be sent

  const flash = (says) => {
    const where = document.getElementById("flash");
    if (where) { where.textContent = says; where.classList.add("bad"); }
  };
  const acts = (event) => event.detail.requestConfig && event.detail.requestConfig.verb === "post";
  document.body.addEventListener("htmx:sendError", (event) => { if (acts(event)) flash(panes.dataset.notReached); });
  document.body.addEventListener("htmx:responseError", (event) => {
    if (!acts(event)) return;
    const says = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").body.textContent.trim();
    flash(says || panes.dataset.notReached);
  });
  window.addEventListener("beforeunload", (event) => {
    const typed = Array.from(document.querySelectorAll(".box textarea")).some((box) => box.value.trim());
    if (typed && !leaving) event.preventDefault();
  });
  let leaving = false;
  document.addEventListener("submit", (event) => { if (!event.target.matches("[hx-post]")) leaving = true; });

  // ---- keyboard

  const rows = () => Array.from(document.querySelectorAll(".rows .row > a"));
  const step = (by) => {
    const all = rows();
    if (!all.length) return;
    const now = all.findIndex((one) => one === document.activeElement || one.parentElement.hasAttribute("aria-current"));
    const focused = all.indexOf(document.activeElement);
    const next = all[Math.max(0, Math.min(all.length - 1, (focused >= 0 ? focused : now) + by))];
    next.focus();
  };
  const press = (act) => {
    const button = document.querySelector(`[data-act="${act}"]`);
    if (!button) return;
    htmx.process(button.form);  // what was just drawn anew is not htmx's yet: a click would leave the page
    button.click();
  };
  const write = (name) => { const box = document.getElementById(`text-${name}`); if (box) box.focus(); };
  const keys = {
    j: () => step(1), k: () => step(-1), t: () => press("take"), e: () => press("resolve"), h: () => press("hand_back"),
    r: () => write("reply"), n: () => write("note"),
  };
  // Letters in quick succession are somebody typing who believes to be in a box: no act may come of them.
  let lastLetter = -Infinity;
  const inARun = (event) => {
    const run = event.timeStamp - lastLetter < 300;
    if (event.key.length === 1) lastLetter = event.timeStamp;
    return run && "teh".includes(event.key);
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, input, select");
    if (typing) lastLetter = -Infinity;
    if (typing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.target.form.requestSubmit();
    } else if (typing && event.key === "Escape") event.target.blur();
    else if (!typing && !inARun(event) && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  drawn(document);
  const box = transcript();
  if (box) box.scrollTop = box.scrollHeight;
  hear();
})();
