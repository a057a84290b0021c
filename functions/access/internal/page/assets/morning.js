// The page works without this. It sends the code when it is whole, counts waits down, and looks again while a
// registration is on its way, politely: every 1.5 s for half a minute, then every 10 s for ten minutes.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const form = $("register"), code = $("code"), born = Date.now();
  const idle = () => !code || !code.value;

  if (form) {
    const button = form.querySelector("button"), label = button.textContent;
    const digits = Number(code.dataset.digits);
    let sent = false;
    form.addEventListener("submit", (event) => {
      if (sent) event.preventDefault();
      sent = true;
      button.textContent = form.dataset.busy;
    });
    code.addEventListener("input", () => {
      if (digits && code.value.replace(/[ -]/g, "").length === digits) form.requestSubmit();
    });
    addEventListener("pageshow", () => { sent = false; button.textContent = label; });

    const wait = $("wait");
    if (wait) {
      const clock = wait.querySelector("strong"), end = born + wait.dataset.left * 1000;
      code.disabled = button.disabled = true;
      const tick = setInterval(() => {
        const left = Math.ceil((end - Date.now()) / 1000);
        if (left > 0) {
          clock.textContent = clock.textContent.length > 5 ? new Date(left * 1000).toISOString().slice(11, 19)
            : `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
          return;
        }
        clearInterval(tick);
        wait.textContent = wait.dataset.over;
        code.disabled = button.disabled = false;
        code.focus();
      }, 500);
    }
  }

  const ring = $("ring");
  if (ring) {
    const end = born + ring.dataset.left * 1000, arc = ring.querySelector(".left");
    ring.hidden = false;
    setInterval(() => {
      const left = Math.ceil((end - Date.now()) / 1000) % 30;
      arc.setAttribute("stroke-dasharray", `${left > 0 ? left : left + 30} 30`);
    }, 1000);
  }

  // A page left open since yesterday shows yesterday's day, address and form.
  const stale = () => { if (!document.hidden && Date.now() - born > 300000 && idle()) location.replace("./"); };
  document.addEventListener("visibilitychange", stale);
  addEventListener("pageshow", stale);

  const state = (s) => document.querySelector(`[data-state=${s}]`);
  const swap = (doc, id) => { if (!$(id).contains(document.activeElement)) $(id).replaceWith(doc.getElementById(id)); };
  const show = async () => {
    const doc = new DOMParser().parseFromString(await (await fetch("./")).text(), "text/html");
    const here = doc.getElementById("live-here");
    if (!here || !$("live-here")) {
      if (idle()) location.replace("./");
      return;
    }
    $("said").textContent = doc.getElementById("said").textContent; // a live region: changed, never replaced
    $("said").className = doc.getElementById("said").className;
    swap(doc, "live-here");
    swap(doc, "also");
    swap(doc, "others");
  };
  // The other address of this device: asked for over the other family. Many connections have only one.
  const pair = $("pair");
  if (pair) (async () => {
    pair.hidden = true;
    try {
      const answer = await fetch(pair.dataset.api, { method: "POST", credentials: "omit", headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ token: pair.elements.token.value }) });
      if (answer.ok) { await show(); again(); }
    } catch { /* no address of the other family */ }
  })();

  // Green only when every beacon behind the doors has answered this device, or a door has seen it come in.
  let testing = false;
  const test = async () => {
    const here = $("live-here");
    if (testing || !here || !here.dataset.beacons || here.dataset.state !== "confirmed") return;
    testing = true;
    try {
      const answers = await Promise.all(here.dataset.beacons.split(" ").map((url) => fetch(url, { credentials: "omit", cache: "no-store" })));
      if (answers.every((a) => a.ok) && (await fetch(`v1/leases/${here.dataset.lease}/tested`, { method: "POST" })).ok) await show();
    } catch { /* not let through yet: asked again with the next look */ }
    testing = false;
  };

  const shows = $("device-code"); // until another device lets this one in
  let quick = 20, timer;
  const again = () => {
    clearTimeout(timer);
    const soon = (state("received") || state("written")) && quick > 0;
    if (soon) quick--;
    else if ((state("received") || state("written")) && $("live-here")) $("said").textContent = $("live-here").dataset.slow;
    if ((soon || state("received") || state("written") || state("confirmed")) && Date.now() - born < 600000) timer = setTimeout(look, soon ? 1500 : 10000);
    else if (shows && Date.now() - born < 300000) timer = setTimeout(look, 3000);
    test();
  };
  const look = async () => {
    if (!document.hidden) {
      try {
        const answer = await fetch("v1/leases", { headers: { Accept: "application/json" } });
        const now = answer.ok ? (await answer.json()).leases : [];
        const at = shows && shows.dataset.address;
        if (at && now.some((l) => l.prefix === at && !["ended", "failed"].includes(l.state))) location.replace("./");
        const shown = [...document.querySelectorAll("[data-lease]")];
        if (now.some((l) => shown.some((s) => s.dataset.lease === l.id && s.dataset.state !== l.state))) await show();
      } catch { /* offline for a moment */ }
    }
    again();
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && state("confirmed")) look(); });
  again();
})();
