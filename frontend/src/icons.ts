/** Drawings of what buttons do, for `icon()`. */

export const ADD = "M8 3v10 M3 8h10";
export const REMOVE = "M4 4l8 8 M12 4l-8 8";
export const UP = "M8 13V3.5 M4 7.5l4-4 4 4";
export const DOWN = "M8 3v9.5 M4 8.5l4 4 4-4";
export const COPY = "M5.5 5.5v-3h8v8h-3 M2.5 5.5h8v8h-8z";
export const FOLD = "M4 6l4 4 4-4";
export const GRIP = "M6 3.5h.01 M10 3.5h.01 M6 8h.01 M10 8h.01 M6 12.5h.01 M10 12.5h.01";
export const REDO = "M10 3l3.5 3.5L10 10 M13.5 6.5h-7a4 4 0 0 0 0 8H10";
export const TRASH = "M3 4.5h10 M6 4.5v-2h4v2 M4.5 4.5l.6 9h5.8l.6-9";
export const UNDO = "M6 3L2.5 6.5 6 10 M2.5 6.5h7a4 4 0 0 1 0 8H6";
export const SEND = "M8 13.5V3 M3.5 7.5L8 3l4.5 4.5";
export const STOP = "M4.5 4.5h7v7h-7z";
export const AGAIN = "M13 8a5 5 0 1 1-1.6-3.7 M13 2.5v3h-3";
export const EDIT = "M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z";
export const THUMB_UP = "M5 7l2.8-4.8c1 0 1.7.8 1.5 1.8L8.8 6.5h3.4c.8 0 1.3.7 1.1 1.5l-1 4c-.1.6-.6 1-1.2 1H5z M5 7H2.7v6H5";
export const THUMB_DOWN = "M11 9l-2.8 4.8c-1 0-1.7-.8-1.5-1.8l.5-2.5H3.8c-.8 0-1.3-.7-1.1-1.5l1-4c.1-.6.6-1 1.2-1H11z M11 9h2.3V3H11";
export const LIST = "M2.5 4h11 M2.5 8h11 M2.5 12h7";
export const LINK = "M6.5 9.5a2.5 2.5 0 0 0 3.6 0l2.2-2.2a2.5 2.5 0 0 0-3.6-3.6L8 4.4 M9.5 6.5a2.5 2.5 0 0 0-3.6 0L3.7 8.7a2.5 2.5 0 0 0 3.6 3.6l.7-.7";
export const SLIDERS = "M2 5h6 M11 5h3 M8 3.5v3h3v-3z M2 11h3 M8 11h6 M5 9.5v3h3v-3z";
