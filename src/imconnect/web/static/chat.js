// The chat page, alive: sends in order, shows what comes, and loses nothing that was typed. Without it the forms work.
"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const log = byId("log"), pending = byId("pending"), main = byId("main"), composer = byId("composer");
  const text = byId("text"), fault = byId("fault"), connection = byId("connection"), toLatest = byId("to-latest");
  const words = composer.dataset;
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  const TIMEOUT = 40000; // a message may be held back for 20 s when many are sent at once
  let last = Number(log.dataset.last), sending = false, held = [];
  const queue = [];

  // ---- lines

  const atEnd = () => main.scrollHeight - main.scrollTop - main.clientHeight < 80;
  const toEnd = () => { main.scrollTop = main.scrollHeight; toLatest.hidden = true; };
  const place = (node) => node.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop;
  const lastOwn = () => Array.from(main.querySelectorAll(".log .you")).pop();

  // An answer is read from its beginning: the page moves on to it, but not past the words it answers.
  const toAnswer = (node) => {
    const own = lastOwn();
    const first = own && place(own) >= main.scrollTop - 8 ? own : node;
    main.scrollTop = Math.max(main.scrollTop, place(first) - 8);
    toLatest.hidden = atEnd();
  };

  const show = (line) => {
    const drawn = document.createElement("template");
    drawn.innerHTML = line.html;
    const node = drawn.content.firstElementChild;
    const there = byId(node.id);
    const stay = !atEnd();
    if (there) there.replaceWith(node);
    else {
      const after = Array.from(log.children).find((one) => Number(one.dataset.line) > line.id);
      log.insertBefore(node, after || null);
      byId("intro").classList.add("begun");
    }
    localTimes(node);
    last = Math.max(last, line.id);
    if (!stay) toAnswer(node);
    else if (!there && line.speaker !== "customer") toLatest.hidden = false;
    if (!there && line.speaker !== "customer" && document.hidden) unread();
  };

  // While a message is on its way, its line may come by the stream first: it waits, so that none is seen twice.
  const receive = (line) => { if (sending) held.push(line); else show(line); };
  const release = () => { const lines = held; held = []; lines.forEach(show); };

  const title = document.title;
  let missed = 0;
  const unread = () => { missed += 1; document.title = `(${missed}) ${title}`; };
  const seen = () => { missed = 0; document.title = title; };

  const day = (date) => `${date.getFullYear()}-${date.getMonth()}-${date.getDate()}`;
  const localTimes = (root) => root.querySelectorAll("time").forEach((one) => {
    const at = new Date(one.dateTime), now = new Date();
    const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
    const clock = at.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
    if (day(at) === day(now)) one.textContent = clock;
    else if (day(at) === day(yesterday)) one.textContent = `${words.yesterday} ${clock}`;
    else one.textContent = `${at.toLocaleDateString(document.documentElement.lang)} ${clock}`;
  });

  // ---- sending

  const say = (what) => { fault.textContent = what; fault.hidden = !what; };

  const bubble = (message) => {
    const item = document.createElement("li"), box = document.createElement("div"), said = document.createElement("p");
    item.className = "line you";
    box.className = "bubble";
    said.className = "said";
    said.dir = "auto";
    said.textContent = message.text;
    box.append(said);
    const state = document.createElement("p");
    state.className = "when";
    state.setAttribute("role", "status");
    state.textContent = words.sending;
    item.append(box, state);
    message.node = item;
    message.state = state;
    pending.append(item);
    toEnd();
  };

  const enqueue = (message) => {
    bubble(message);
    queue.push(message);
    pump();
  };

  const failed = (message, why) => {
    message.failed = true;
    message.node.classList.add("failed");
    message.state.textContent = why;
    if (!message.mayPass) { message.state.textContent = why; return; }
    const again = document.createElement("button");
    again.type = "button";
    again.textContent = words.notSent;
    again.addEventListener("click", retryAll);
    message.state.replaceChildren(document.createTextNode(why ? `${why} ` : ""), again);
  };

  // Always from the first that failed, so that the order in which things were written is kept.
  const retryAll = () => {
    queue.filter((one) => one.failed).forEach((one) => {
      one.failed = false;
      one.node.classList.remove("failed");
      one.state.textContent = words.sending;
    });
    pump();
  };
  const retryWhatMayPass = () => { if (queue.length && queue[0].failed && queue[0].mayPass) retryAll(); };

  // One at a time and in order; what could not be sent holds back what was written after it.
  const pump = async () => {
    if (sending || !queue.length || queue[0].failed) {
      if (!sending) queue.slice(1).filter((one) => !one.failed).forEach((one) => { one.mayPass = true; failed(one, ""); });
      return;
    }
    const message = queue[0];
    sending = true;
    let lines = [];
    try {
      const body = new URLSearchParams({ id: message.id, text: message.text, after: String(last) });
      if (message.choice) body.set("choice", message.choice);
      const answer = await fetch(composer.action, {
        method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT),
      });
      const says = await answer.json();
      if (answer.ok) {
        lines = says.lines;
        message.node.remove();
        queue.shift();
        written(message.choice && says.tag); // of what was written, the stream tells: it has not been read yet
      } else {
        message.mayPass = answer.status >= 500 || answer.status === 429;
        if (!message.mayPass) queue.shift(); // what is refused for good holds nothing back
        failed(message, says.error || words.unknown);
      }
    } catch {
      message.mayPass = true;
      failed(message, "");
    }
    sending = false;
    lines.forEach(show);
    release();
    pump();
  };

  const tooLong = (what) => new TextEncoder().encode(what).length > Number(words.most);

  const grow = () => { text.style.height = "auto"; text.style.height = `${Math.min(text.scrollHeight + 2, 176)}px`; };

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = text.value;
    if (!typed.trim()) { say(words.empty); text.focus(); return; }
    if (tooLong(typed)) { say(words.tooLong); text.focus(); return; }
    say("");
    enqueue({ id: newId(), text: typed });
    text.value = "";
    grow();
    text.focus();
  });
  text.addEventListener("input", () => { grow(); if (!fault.hidden) say(""); });
  text.addEventListener("keydown", (event) => {
    // While a Chinese word is being composed, Enter chooses it.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
      event.preventDefault();
      composer.requestSubmit();
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.choices")) return;
    event.preventDefault();
    const pressed = event.submitter;
    if (!pressed || pressed.dataset.resting) return;
    pressed.dataset.resting = "1"; // a double click is one answer
    setTimeout(() => { delete pressed.dataset.resting; }, 1500);
    enqueue({ id: newId(), text: pressed.textContent.trim(), choice: pressed.value });
  });

  window.addEventListener("beforeunload", (event) => { if (queue.length) event.preventDefault(); });

  // ---- hearing

  let source = null, wasLost = false, lostTimer = 0;
  const lost = () => {
    wasLost = true;
    connection.textContent = navigator.onLine ? connection.dataset.reconnecting : connection.dataset.offline;
    connection.hidden = false;
  };
  const back = () => {
    clearTimeout(lostTimer);
    if (wasLost) {
      wasLost = false;
      connection.textContent = connection.dataset.back;
      setTimeout(() => { if (!wasLost) connection.hidden = true; }, 2000);
    }
    retryWhatMayPass();
  };
  const hear = () => {
    if (source && source.readyState !== EventSource.CLOSED) return;
    source = new EventSource(`/chat/events?after=${last}`);
    source.addEventListener("open", back);
    source.addEventListener("line", (event) => receive(JSON.parse(event.data)));
    source.addEventListener("standing", (event) => standing(JSON.parse(event.data)));
    source.addEventListener("rest", () => source.close()); // other tabs need the connection; this one asks again when looked at
    source.addEventListener("error", () => {
      clearTimeout(lostTimer);
      lostTimer = setTimeout(lost, 1500); // a server that restarts is back before anybody needs to know
      if (source.readyState === EventSource.CLOSED) setTimeout(hear, 5000);
    });
  };
  // The page is drawn anew in the language, or the characters, that turned out to be the customer's; never while one writes.
  let wanted = document.documentElement.lang;
  const written = (tag) => {
    wanted = tag || wanted;
    if (wanted !== document.documentElement.lang && !text.value && !queue.length) location.reload();
  };

  const standing = (now) => {
    written(now.tag);
    const parts = ["stage", "place", "reference"].filter((part) => now[part]).map((part) => {
      const node = document.createElement("span");
      node.dataset.part = part;
      node.textContent = now[part];
      return node;
    });
    const shown = byId("standing");
    if (shown.textContent !== parts.map((node) => node.textContent).join("")) shown.replaceChildren(...parts);
  };

  document.addEventListener("visibilitychange", () => { if (!document.hidden) { seen(); hear(); } });
  window.addEventListener("online", () => { hear(); retryWhatMayPass(); });
  window.addEventListener("offline", lost);
  window.addEventListener("pageshow", (event) => { if (event.persisted) hear(); });

  // ---- looks

  byId("theme").addEventListener("submit", (event) => {
    event.preventDefault();
    const form = event.currentTarget, button = form.querySelector("button");
    const order = ["system", "light", "dark"], chosen = button.value;
    document.documentElement.dataset.theme = chosen;
    button.value = order[(order.indexOf(chosen) + 1) % order.length];
    const says = { system: form.dataset.saysSystem, light: form.dataset.saysLight, dark: form.dataset.saysDark }[chosen];
    button.title = `${form.dataset.title}: ${says}`;
    button.setAttribute("aria-label", button.title);
    fetch(form.action, { method: "POST", body: new URLSearchParams({ theme: chosen }), redirect: "manual" }).catch(() => {});
  });

  toLatest.addEventListener("click", toEnd);
  main.addEventListener("scroll", () => { if (atEnd()) toLatest.hidden = true; });
  localTimes(document);
  grow();
  if (log.children.length) toEnd();
  if (lastOwn()) main.scrollTop = Math.min(main.scrollTop, place(lastOwn()) - 8);
  hear();
})();
