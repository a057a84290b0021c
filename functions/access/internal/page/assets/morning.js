// The page works without this: it submits by itself when the code is whole, moves the countdown and looks again
// while a registration is on its way.
"use strict";
(() => {
  const code = document.getElementById("code");
  if (code) {
    const digits = Number(code.dataset.digits);
    let sent = false;
    code.addEventListener("input", () => {
      if (!sent && code.value.replace(/[ -]/g, "").length === digits) {
        sent = true;
        code.form.requestSubmit();
      }
    });
  }
  const ring = document.getElementById("ring");
  if (ring) {
    const end = Date.now() + Number(ring.dataset.left) * 1000;
    const arc = ring.querySelector(".left");
    setInterval(() => {
      const left = Math.ceil((end - Date.now()) / 1000);
      arc.setAttribute("stroke-dasharray", `${((left % 30) + 30) % 30 || 30} 30`);
    }, 1000);
  }
  const list = document.getElementById("leases");
  if (list && list.dataset.watch === "true") {
    const shown = new Map([...list.querySelectorAll("[data-lease]")].map((li) => [li.dataset.lease, li.dataset.state]));
    const look = async () => {
      try {
        const answer = await fetch("v1/leases", { headers: { Accept: "application/json" } });
        if (answer.ok) {
          const { leases } = await answer.json();
          if (leases.some((l) => shown.has(l.id) && shown.get(l.id) !== l.state)) {
            location.replace("./");
            return;
          }
        }
      } catch { /* offline for a moment: look again */ }
      setTimeout(look, 1500);
    };
    setTimeout(look, 800);
  }
})();
