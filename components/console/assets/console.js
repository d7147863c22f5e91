// Keeps pages fresh, and writes numbers and times the way the reader's browser does. Pages work without it.
"use strict";
(() => {
  const MOMENT = { dateStyle: "medium", timeStyle: "medium" };
  // How much longer to wait after each look that failed, and how long at most, ms.
  const RETRY_FACTOR = 2;
  const RETRY_MS_MAX = 15000;
  // A look that takes longer than this has failed, ms.
  const LOOK_MS_MAX = 10000;
  // When a screen reader has taken note of a new page, ms.
  const HEARD_AFTER_MS = 500;

  // ---- Values, in the reader's locale. The server wrote them for its language, with the exact value in an attribute.

  const locales = navigator.languages;
  const writers = {
    number: new Intl.NumberFormat(locales),
    decimal: new Intl.NumberFormat(locales, { maximumFractionDigits: 1 }),
    moment: new Intl.DateTimeFormat(locales, MOMENT),
    brief: new Intl.DateTimeFormat(locales, { dateStyle: "short", timeStyle: "short" }),
    clock: new Intl.DateTimeFormat(locales, { timeStyle: "short" }),
  };
  const currencies = new Map();

  function currency(code) {
    if (!currencies.has(code)) {
      currencies.set(code, new Intl.NumberFormat(locales, { style: "currency", currency: code }));
    }
    return currencies.get(code);
  }

  function localize(root) {
    for (const element of root.querySelectorAll("[data-as]")) {
      const as = element.dataset.as;
      if (element.nodeName === "TIME") {
        element.textContent = writers[as]?.format(new Date(element.dateTime)) ?? element.textContent;
      } else if (as === "money") {
        element.textContent = currency(element.dataset.currency).format(element.value);
      } else if (writers[as]) {
        element.textContent = writers[as].format(element.value);
      }
    }
  }

  // ---- Making one tree like another, by touching only what differs: focus, scroll, selection and open details stay.

  // What the reader did to an element is theirs.
  const THEIRS = { DETAILS: ["open"], INPUT: ["value", "checked"], OPTION: ["selected"], TEXTAREA: [] };

  function same(a, b) {
    return a.nodeType === b.nodeType && a.nodeName === b.nodeName &&
      (a.nodeType !== Node.ELEMENT_NODE || name(a) === name(b));
  }

  function name(element) {
    return element.dataset.key ?? element.id;
  }

  function morph(old, fresh) {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    if (old.isEqualNode(fresh)) return;
    const theirs = THEIRS[old.nodeName] ?? [];
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !theirs.includes(name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !theirs.includes(name)) old.setAttribute(name, value);
    }
    if (old.nodeName !== "TEXTAREA") children(old, fresh);
  }

  function children(old, fresh) {
    const wantedKeys = new Set([...fresh.children].map((child) => child.dataset.key));
    const keyed = new Map();
    for (const child of [...old.children]) {
      const key = child.dataset.key;
      if (!key) continue;
      // What is gone goes first, so that what stays need not move over it.
      if (wantedKeys.has(key)) keyed.set(key, child);
      else child.remove();
    }
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const known = wanted.nodeType === Node.ELEMENT_NODE && keyed.get(wanted.dataset.key);
      if (known && same(known, wanted)) {
        keyed.delete(wanted.dataset.key);
        if (known === at) at = at.nextSibling;
        else old.insertBefore(known, at);
        morph(known, wanted);
      } else if (at && same(at, wanted) && !at.dataset?.key) {
        morph(at, wanted);
        at = at.nextSibling;
      } else {
        old.insertBefore(wanted, at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  }

  // ---- Looking again.

  const main = document.getElementById("main");
  // What is shown above the page, and what is only heard.
  const told = document.getElementById("told");
  const said = document.getElementById("said");
  const words = document.body.dataset;
  const every = Number(main.dataset.live);
  // Statuses that mean another page than this one: the session is over, the thing is gone, the list cannot be had in this way.
  const ANOTHER_PAGE = [401, 403, 404, 422];
  // Names what is shown, for the server to say that nothing changed.
  let version = "";
  let failures = 0;
  let trouble = "";
  let timer = null;
  let due = 0;
  let looking = false;

  function tell(text, kind) {
    const line = document.createElement("p");
    line.className = kind;
    line.textContent = text;
    told.replaceChildren(line);
  }

  async function look() {
    // Whoever looks now, what was planned before is done with: there is one loop.
    clearTimeout(timer);
    if (looking || document.hidden || paused()) return;
    looking = true;
    let wrong = "";
    try {
      const answer = await fetch(location.href, {
        headers: { "x-restock-part": "main", accept: "text/html", "if-none-match": version },
        cache: "no-store",
        redirect: "manual",
        signal: AbortSignal.timeout(LOOK_MS_MAX),
      });
      if (answer.type === "opaqueredirect" || ANOTHER_PAGE.includes(answer.status)) {
        location.reload();
        return;
      }
      if (answer.ok) show(await answer.text(), answer.headers.get("etag") ?? "");
      else if (answer.status !== 304) wrong = words.trouble;
    } catch {
      wrong = words.lost;
    } finally {
      looking = false;
    }
    if (wrong && wrong !== trouble) tell(wrong, "notice lost");
    if (!wrong && trouble) tell(words.back, "notice");
    trouble = wrong;
    failures = wrong ? failures + 1 : 0;
    due = performance.now() + Math.min(every * RETRY_FACTOR ** failures, RETRY_MS_MAX);
    plan();
  }

  function plan() {
    clearTimeout(timer);
    timer = setTimeout(look, Math.max(0, due - performance.now()));
  }

  function show(text, etag) {
    // Nothing moves under a finger, and nothing is taken from somebody who marks text: a later look brings it.
    if (marks()) waiting.textContent = words.waits;
    if (held || marks() || paused()) return;
    const fresh = document.createElement("main");
    for (const node of [...new DOMParser().parseFromString(text, "text/html").body.childNodes]) fresh.append(node);
    localize(fresh);
    const before = announcement();
    const chosen = main.querySelectorAll("input:checked");
    const refocus = focusKeeper();
    main.setAttribute("aria-busy", "true");
    children(main, fresh);
    main.removeAttribute("aria-busy");
    refocus();
    version = etag;
    if ([...chosen].some((box) => !box.isConnected)) tell(words.unchosen, "notice lost");
    const after = announcement();
    if (after && after !== before) said.textContent = after;
  }

  // What a page wants said when it changes: one short sentence, not every number.
  function announcement() {
    return main.querySelector("[data-announce]")?.textContent.trim();
  }

  // Remembers where the focus is, and returns what brings it back: to the same element, which may have moved, or to the one that
  // has its place where it left.
  function focusKeeper() {
    const CONTROLS = "a[href], button, input, select, textarea, summary";
    const focused = document.activeElement;
    if (focused === main || !main.contains(focused)) return () => {};
    const row = focused.closest("main [data-key]");
    const rows = row?.parentNode;
    const place = row ? [...rows.children].indexOf(row) : 0;
    const control = row ? [...row.querySelectorAll(CONTROLS)].indexOf(focused) : 0;
    return () => {
      if (document.activeElement === focused) return;
      let to = focused;
      if (!focused.isConnected) {
        const next = rows?.isConnected && (rows.children[place] ?? rows.lastElementChild);
        const controls = next ? next.querySelectorAll(CONTROLS) : [];
        to = controls[control] ?? controls[0] ?? main;
      }
      to.focus({ preventScroll: true });
    };
  }

  // ---- When not to look, or not to show.

  // The button that stops the updates; none where there are none. The tab remembers it.
  const PAUSED = "restock-paused";
  const pauser = document.createElement("button");
  const waiting = document.createElement("small");
  let held = false;

  function paused() {
    return pauser.getAttribute("aria-pressed") === "true";
  }

  function marks() {
    const selection = getSelection();
    return !selection.isCollapsed && selection.containsNode(main, true);
  }

  function press(on) {
    pauser.setAttribute("aria-pressed", String(on));
    if (on) sessionStorage.setItem(PAUSED, "true");
    else sessionStorage.removeItem(PAUSED);
    if (!on) look();
  }

  function watch() {
    pauser.type = "button";
    pauser.className = "quiet";
    pauser.id = "pause";
    pauser.textContent = words.pause;
    pauser.addEventListener("click", () => press(!paused()));
    waiting.className = "waiting";
    document.querySelector(".who")?.prepend(pauser, waiting);
    pauser.setAttribute("aria-pressed", String(sessionStorage.getItem(PAUSED) === "true"));
    for (const type of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
      addEventListener(type, (event) => (held = event.buttons > 0), { capture: true, passive: true });
    }
    document.addEventListener("selectionchange", () => {
      if (waiting.textContent && !marks()) waiting.textContent = "";
    });
    // Whoever comes back sees news as soon as they are due, however often they come.
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !looking) plan();
    });
    due = performance.now() + every;
    plan();
  }

  // A notice is told once: loading the page again does not repeat it.
  const address = new URL(location.href);
  if (address.searchParams.has("notice")) {
    address.searchParams.delete("notice");
    address.searchParams.delete("count");
    history.replaceState(history.state, "", address);
  }

  localize(document);
  // What stands on a page when it comes is not read out. What changes afterwards is.
  const news = [told, main.querySelector(".fault")].map((element) => element?.textContent.trim()).filter(Boolean).join(" ");
  if (news) setTimeout(() => (said.textContent = news), HEARD_AFTER_MS);
  if (every > 0) watch();
})();
