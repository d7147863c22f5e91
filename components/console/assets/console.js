// Keeps pages fresh, and writes numbers and times the way the reader's browser does. Pages work without it.
"use strict";
(() => {
  const MOMENT = { dateStyle: "medium", timeStyle: "medium" };
  // How much longer to wait after each look that failed, and how long at most, ms.
  const RETRY_FACTOR = 2;
  const RETRY_MS_MAX = 15000;
  // A look that takes longer than this has failed, ms.
  const LOOK_MS_MAX = 10000;

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
  const every = Number(main.dataset.live);
  let seen = null;
  let failures = 0;
  let timer = null;
  let looking = false;

  function tell(text, kind) {
    const line = document.createElement("p");
    line.className = kind;
    line.textContent = text;
    told.replaceChildren(line);
  }

  async function look() {
    timer = null;
    if (document.hidden || looking) return;
    looking = true;
    try {
      const answer = await fetch(location.href, {
        headers: { "x-restock-part": "main", accept: "text/html" },
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(LOOK_MS_MAX),
      });
      if (answer.status === 401 || answer.status === 403) {
        // The session is over: the server says so, and leads to the sign-in.
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.text());
      if (failures > 0) tell(document.body.dataset.back, "notice");
      failures = 0;
    } catch {
      failures += 1;
      if (failures === 1) tell(document.body.dataset.lost, "notice lost");
    } finally {
      looking = false;
    }
    plan();
  }

  function show(text) {
    if (text === seen) return;
    seen = text;
    const fresh = document.createElement("main");
    for (const node of [...new DOMParser().parseFromString(text, "text/html").body.childNodes]) fresh.append(node);
    localize(fresh);
    const before = announcement();
    const focused = document.activeElement;
    main.setAttribute("aria-busy", "true");
    children(main, fresh);
    main.removeAttribute("aria-busy");
    // An element that moved lost the focus on its way.
    if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
    const after = announcement();
    if (after && after !== before) said.textContent = after;
  }

  // What a page wants said when it changes: one short sentence, not every number.
  function announcement() {
    return main.querySelector("[data-announce]")?.textContent.trim();
  }

  function plan() {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(look, Math.min(every * RETRY_FACTOR ** failures, RETRY_MS_MAX));
  }

  // A notice is told once: loading the page again does not repeat it.
  const address = new URL(location.href);
  if (address.searchParams.has("notice")) {
    address.searchParams.delete("notice");
    address.searchParams.delete("count");
    history.replaceState(history.state, "", address);
  }

  localize(document);
  if (every > 0) {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) look();
    });
    plan();
  }
})();
