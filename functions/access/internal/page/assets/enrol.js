// The pages work without this: it takes an enrolment code out of the link's fragment, which no server sees, makes a
// link whole, and offers to copy it or to print the recovery codes.
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
  const offer = (selector, act) => {
    for (const button of document.querySelectorAll(selector)) {
      button.hidden = false;
      button.addEventListener("click", () => act(button));
    }
  };
  offer("[data-print]", () => window.print());
  if (navigator.clipboard) offer("[data-copy]", async (button) => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = button.dataset.done;
  });
})();
