// Loaded on every page. Pages work without it; it makes them quicker and takes dropped photos.
import "htmx.org";
import "bootstrap/js/dist/dropdown";
import "bootstrap/js/dist/offcanvas";

import { announceChanges } from "./announcing.js";
import { switchKeys } from "./keys.js";
import { searchByLink } from "./links.js";
import { loadMats } from "./mats.js";
import { panelKeys } from "./panel-keys.js";
import { searchByPicture } from "./picture-search.js";
import { chooseParts } from "./region-load.js";
import { swapResults, takeAdded } from "./results.js";
import { shareQueries } from "./share.js";
import { shortcuts } from "./shortcuts.js";
import { switchTheme } from "./theme-switch.js";

switchTheme();
loadMats();
swapResults();
takeAdded();
announceChanges();
shareQueries();
switchKeys();
shortcuts();
panelKeys();
searchByLink(searchByPicture());
chooseParts();
