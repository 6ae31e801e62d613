// Uploading: Uppy queues the files and sends them, the list shows what becomes of each.
import Uppy from "@uppy/core";
import ThumbnailGenerator from "@uppy/thumbnail-generator";
import XHRUpload from "@uppy/xhr-upload";

import { onIncomingFiles } from "./incoming.js";
import { alertOf, clearAlert } from "./say.js";
import { textsOf } from "./texts.js";
import { FileGroups } from "./upload-groups.js";
import { FileList } from "./upload-list.js";

const AT_ONCE = 2; // files on their way: the server decodes each in full
const APART = new Set(["file", "together"]); // fields of the page that are not said of every file
const TIMEOUT = 120_000; // milliseconds without progress
const ENDINGS = [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".avif", ".gif", ".tif", ".tiff"];
// Each file says in the list what is wrong with it; Uppy would call every refusal a network error in the console.
const SILENT = { debug() {}, warn() {}, error() {} };

function start(form) {
  const part = (name) => form.querySelector(`[data-${name}]`);
  const say = textsOf(part("texts"));
  const uppy = queue(form, say);
  const groups = new FileGroups(part("list"), part("group-template"), part("together"), say);
  const list = new FileList(groups, part("row"), say, {
    remove: (id) => uppy.removeFile(id),
    retry: (id) => uppy.retryUpload(id),
    leave: () => part("choose").focus(),
  });
  enhance(form);
  takeFiles(uppy, part);
  sendFiles(uppy, form, part, list);
  uppy.on("file-added", (file) => list.add(file));
  uppy.on("file-removed", (file) => list.remove(file.id));
  uppy.on("thumbnail:generated", (file, url) => list.picture(file.id, url));
  uppy.on("upload-start", (files) => files.forEach((file) => list.sending(file.id)));
  uppy.on("upload-progress", (file, progress) => list.progress(file.id, progress));
  uppy.on("upload-success", (file, response) => list.done(file.id, response.body));
  uppy.on("upload-error", (file, _error, request) => list.failed(file.id, reasonOf(request, say)));
  uppy.on("state-update", () => showBatch(uppy.getFiles(), part, say));
  showBatch([], part, say);
}

function queue(form, say) {
  // Uppy fills in %{name} where our texts have {name}.
  const forUppy = (text) => text.replaceAll("{", "%{");
  const raw = form.querySelector("[data-texts]").dataset;
  const uppy = new Uppy({
    logger: SILENT,
    restrictions: {
      maxFileSize: Number(form.dataset.maxBytes),
      maxNumberOfFiles: Number(form.dataset.maxFiles),
      allowedFileTypes: ["image/*", ...ENDINGS],
    },
    locale: {
      strings: {
        exceedsSize: forUppy(raw.exceedsSize),
        youCanOnlyUploadX: { 0: forUppy(raw.tooMany), 1: forUppy(raw.tooMany) },
        youCanOnlyUploadFileTypes: raw.notPicture,
        noDuplicates: raw.twice,
      },
    },
  });
  uppy.use(ThumbnailGenerator, { thumbnailWidth: 96 });
  uppy.use(XHRUpload, {
    endpoint: form.action,
    fieldName: "file",
    limit: AT_ONCE,
    timeout: TIMEOUT,
    headers: { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    shouldRetry: () => false, // a person decides, having read the reason
  });
  return uppy;
}

/** With scripts there is a list to drop files on; the plain file input goes. */
function enhance(form) {
  for (const element of form.querySelectorAll("[data-enhanced]")) element.hidden = false;
  for (const element of form.querySelectorAll("[data-plain]")) element.hidden = true;
}

function takeFiles(uppy, part) {
  const add = (files) => {
    const refused = [];
    for (const file of files) {
      try {
        uppy.addFile({ name: file.name, type: file.type, data: file });
      } catch (error) {
        if (!error.isRestriction) throw error;
        refused.push(`${file.name}: ${error.message}`);
      }
    }
    if (refused.length) alertOf(...refused);
    else clearAlert();
  };
  const zone = part("dropzone");
  onIncomingFiles({
    enter: () => zone.classList.add("is-over"),
    leave: () => zone.classList.remove("is-over"),
    files: add,
  });
  const input = part("files");
  part("choose").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
}

function sendFiles(uppy, form, part, list) {
  const send = (begin) => {
    const batch = Object.fromEntries([...new FormData(form)].filter(([name]) => !APART.has(name)));
    // What is written beside the list holds for every file that is not up yet, also for one that failed.
    const names = [...new Set([...form.elements].map((field) => field.name))].filter((name) => name && !APART.has(name));
    uppy.getPlugin("XHRUpload").setOptions({ allowedMetaFields: [...names, "group", "group_name", "place"] });
    for (const file of uppy.getFiles().filter(isLeft)) {
      uppy.setFileMeta(file.id, { ...Object.fromEntries(names.map((name) => [name, ""])), ...batch, ...list.metaOf(file.id) });
    }
    begin();
  };
  form.addEventListener("submit", (event) => {
    if (event.target !== form) return; // a panel of suggestions in the list has forms of its own
    event.preventDefault();
    send(() => uppy.upload());
  });
  part("retry").addEventListener("click", () => send(() => uppy.retryAll()));
  part("clear").addEventListener("click", () => {
    for (const file of uppy.getFiles()) if (isUp(file)) uppy.removeFile(file.id);
  });
  window.addEventListener("beforeunload", (event) => {
    if (uppy.getFiles().some(isOnItsWay)) event.preventDefault();
  });
}

const isUp = (file) => file.progress.uploadComplete;
const isLeft = (file) => !isUp(file);
const isOnItsWay = (file) => Boolean(file.progress.uploadStarted) && !isUp(file) && !file.error;

/** The line and the bar for all files, and the buttons that make sense now. */
function showBatch(files, part, say) {
  const pressed = document.activeElement;
  const done = files.filter(isUp).length;
  const failed = files.filter((file) => file.error).length;
  const running = files.filter(isOnItsWay).length;
  const waiting = files.length - done - failed - running;
  part("start").disabled = !waiting || running > 0;
  part("start-words").textContent = waiting ? say.uploadAll({ number: waiting }) : say.upload();
  part("retry").hidden = !failed || running > 0;
  part("clear").hidden = !done || running > 0;
  part("batch").hidden = files.length === waiting;
  part("batch-progress").value = files.length ? (100 * (done + failed)) / files.length : 0;
  const words = running ? say.progress({ done, number: files.length }) : say.finished({ done, failed });
  const line = part("batch-says");
  if (line.textContent !== words) line.textContent = words; // said again only when it has changed
  // A button that has gone, or that cannot be pressed now, is no place to go on from.
  if (pressed.closest(".upload-actions") && (pressed.hidden || pressed.disabled)) {
    (part("batch").hidden ? part("choose") : line).focus();
  }
}

/** The server's own sentence where there is one. */
function reasonOf(request, say) {
  if (!request?.status) return say.offline();
  try {
    return JSON.parse(request.responseText).error ?? say.failed();
  } catch {
    return say.failed();
  }
}

const form = document.querySelector("[data-upload]");
if (form) start(form);
