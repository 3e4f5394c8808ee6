/** Drawings of what buttons do, for `icon()`. */

export const ADD = "M8 3v10 M3 8h10";
export const REMOVE = "M4 4l8 8 M12 4l-8 8";
export const UP = "M8 13V3.5 M4 7.5l4-4 4 4";
export const DOWN = "M8 3v9.5 M4 8.5l4 4 4-4";
