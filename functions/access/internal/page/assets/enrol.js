// The pages work without this: it takes an enrolment code out of the link's fragment, which no server sees, makes a
// link whole, sends the app's first code when it is whole, once, and offers to copy or print what is shown only once.
"use strict";
(() => {
  const token = new URLSearchParams(location.hash.slice(1)).get("enrol");
  const field = document.getElementById("token");
  if (token && field) {
    field.value = token;
    document.getElementById("token-box").open = true;
    history.replaceState(null, "", location.pathname + location.search);
  }
  for (const link of document.querySelectorAll("[data-link]")) link.textContent = new URL(link.textContent, location).href;
  const code = document.querySelector("[data-digits]");
  if (code) {
    let sent = false; // a second time would show no recovery codes
    code.form.addEventListener("submit", (event) => {
      if (sent) event.preventDefault();
      sent = true;
    });
    code.addEventListener("input", () => {
      if (code.value.replace(/[ -]/g, "").length === Number(code.dataset.digits)) code.form.requestSubmit();
    });
    addEventListener("pageshow", () => { sent = false; });
  }
  const offer = (selector, act) => {
    for (const button of document.querySelectorAll(selector)) {
      button.hidden = false;
      button.addEventListener("click", () => act(button));
    }
  };
  offer("[data-print]", () => window.print());
  if (navigator.clipboard) offer("[data-copy]", async (button) => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).innerText);
    button.textContent = button.dataset.done;
  });
})();
