// Pictures that come to a page by drop or paste.

const PICTURE_NAME = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?|heic|heif|bmp|svg)$/i;

/** Some systems know no type for HEIC, so the name counts too. */
export const isPicture = (file) => file.type.startsWith("image/") || PICTURE_NAME.test(file.name);

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

/**
 * Listen on the whole window.
 * @param {{enter?: () => void, leave?: () => void, files: (files: File[]) => void}} handlers
 */
export function onIncomingFiles({ enter, leave, files }) {
  let depth = 0; // dragenter of a child comes before dragleave of its parent
  const done = () => {
    depth = 0;
    leave?.();
  };
  window.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (depth++ === 0) enter?.();
  });
  window.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  window.addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) done();
  });
  window.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    done();
    files([...event.dataTransfer.files]);
  });
  window.addEventListener("keydown", (event) => event.key === "Escape" && depth && done());
  document.addEventListener("paste", (event) => {
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!pasted.length) return; // words go where the cursor is
    event.preventDefault();
    files(pasted);
  });
}
