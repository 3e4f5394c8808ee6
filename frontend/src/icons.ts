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
