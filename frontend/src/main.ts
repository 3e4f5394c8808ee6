/** The one entry: small elements at once, heavy ones when the page has them. */

import "./styles/index.css";
import "./elements/copy-button";
import "./elements/theme-switch";
import "./elements/mini-curve";
import { startHtmx } from "./htmx";
import { startPage } from "./page";

const HEAVY: Record<string, () => Promise<unknown>> = {
  "grader-builder": () => import("./elements/grader-builder"),
  "job-form": () => import("./elements/job-form"),
  "json-editor": () => import("./elements/json-editor"),
  "job-charts": () => import("./elements/job-charts"),
  "job-file": () => import("./elements/job-file"),
  "job-live": () => import("./elements/job-live"),
  "job-log": () => import("./elements/job-log"),
  "score-form": () => import("./elements/score-form"),
  "serving-curves": () => import("./elements/serving-curves"),
  "rollout-table": () => import("./elements/rollout-table"),
  "file-upload": () => import("./elements/file-upload"),
  "model-upload": () => import("./elements/model-upload"),
  "chat-page": () => import("./elements/chat-page"),
  "label-queue": () => import("./elements/label-queue"),
  "column-mapping": () => import("./elements/column-mapping"),
};

for (const [tag, load] of Object.entries(HEAVY)) {
  if (document.querySelector(tag) !== null) void load();
}
startHtmx();
startPage();
