// Photos are made small before they travel: an encoder looks at far fewer pixels than a phone takes.

const LONGEST_SIDE = 1280; // pixels; what the server keeps
const QUALITY = 0.85;
const SMALL_ENOUGH = 400 * 1024; // bytes; re-encoding would cost more than it saves

/**
 * The picture as a JPEG with no side longer than LONGEST_SIDE, upright, on white where it was transparent.
 * What the browser cannot decode (HEIC, in most) comes back as it was: the server can, or says why not.
 */
export async function shrink(file) {
  let bitmap;
  try {
    const size = await sizeOf(file);
    const longest = Math.max(size.width, size.height);
    if (longest <= LONGEST_SIDE && file.size <= SMALL_ENOUGH) return file;
    const side = size.width >= size.height ? "resizeWidth" : "resizeHeight";
    bitmap = await createImageBitmap(file, {
      imageOrientation: "from-image",
      ...(longest > LONGEST_SIDE && { [side]: LONGEST_SIDE, resizeQuality: "medium" }),
    });
  } catch {
    return file;
  }
  const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return blob ?? file;
}

/** Width and height after orientation, read from the header: nothing is decoded for it. */
async function sizeOf(file) {
  const url = URL.createObjectURL(file);
  try {
    const img = new Image();
    await new Promise((resolve, reject) => {
      img.onload = resolve;
      img.onerror = reject;
      img.src = url;
    });
    return { width: img.naturalWidth, height: img.naturalHeight };
  } finally {
    URL.revokeObjectURL(url);
  }
}
