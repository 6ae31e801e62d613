// Photos of a product dragged into another order. Buttons do the same without dragging.
export function arrangePhotos() {
  let dragged;
  const photoOf = ({ target }) => target.closest?.("[data-arrange] [data-photo]");

  document.addEventListener("dragstart", (event) => {
    dragged = photoOf(event);
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("is-dragged");
  });
  document.addEventListener("dragover", (event) => {
    const over = photoOf(event);
    if (!dragged || !over) return;
    event.preventDefault();
    if (over === dragged) return;
    const photos = [...over.parentElement.children];
    if (photos.indexOf(dragged) < photos.indexOf(over)) over.after(dragged);
    else over.before(dragged);
  });
  document.addEventListener("drop", (event) => {
    if (dragged) event.preventDefault();
  });
  document.addEventListener("dragend", () => {
    if (!dragged) return;
    const form = dragged.closest("form");
    dragged.classList.remove("is-dragged");
    dragged = undefined;
    // The form is sent by the page's own htmx, as its buttons send it.
    for (const photo of form.querySelectorAll("[data-photo]")) {
      form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "order", value: photo.dataset.photo }));
    }
    form.requestSubmit();
  });
}
