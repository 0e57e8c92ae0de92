// The questions, by keyboard: move, add, set aside; what was settled gives its place to the next one.
"use strict";
(() => {
  const page = document.getElementById("questions");
  const all = () => Array.from(document.querySelectorAll(".question:not(.done)"));
  const here = () => document.activeElement && document.activeElement.closest(".question");
  const show = (one) => { if (one) { one.focus(); one.scrollIntoView({ block: "nearest" }); } };
  const step = (by) => {
    const list = all(), now = list.indexOf(here());
    show(list[Math.max(0, Math.min(list.length - 1, now < 0 ? 0 : now + by))]);
  };
  const press = (act) => {
    const one = here(), button = one && one.querySelector(`button[value="${act}"]`);
    if (button) button.click();
  };
  const keys = {
    j: () => step(1), k: () => step(-1), a: () => press("add"), o: () => press("off_topic"), x: () => press("dismiss"),
    e: () => { const one = here(), box = one && one.querySelector("textarea"); if (box) box.focus(); },
    t: () => { const one = here(), topic = one && one.querySelector("select"); if (topic) topic.focus(); },
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, input, select");
    if (typing && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      press("add");
    } else if (typing && event.key === "Escape") show(here());
    else if (!typing && !event.ctrlKey && !event.metaKey && !event.altKey && keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });

  let next = null;
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const list = all();
    next = list[list.indexOf(event.detail.target) + 1] || null;
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    const now = document.getElementById(event.detail.target.id); // before, it still has the classes of the old one
    if (now && now.classList.contains("done")) show(next || now);
    else if (now) now.querySelector("textarea").focus();
  });

  const flash = (says) => {
    const where = document.getElementById("flash");
    where.textContent = says;
    where.classList.add("bad");
  };
  document.body.addEventListener("htmx:sendError", () => flash(page.dataset.notReached));
  document.body.addEventListener("htmx:responseError", (event) => {
    const says = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html").body.textContent.trim();
    flash(says || page.dataset.notReached);
  });
})();
