// Narrows a long list of boxes to those whose name holds what was typed. What is ticked stays in sight.
for (const list of document.querySelectorAll("[data-pick]")) {
  const field = document.getElementById(list.dataset.pick), boxes = [...list.querySelectorAll("label")];
  if (boxes.length < 9) continue;
  field.closest("[hidden]").hidden = false;
  const narrow = () => {
    const wanted = field.value.trim().toLowerCase();
    for (const box of boxes) box.hidden = !box.textContent.toLowerCase().includes(wanted) && !box.querySelector("input").checked;
  };
  field.addEventListener("input", narrow);
  field.addEventListener("keydown", (e) => { if (e.key === "Enter") e.preventDefault(); });
}
