// In the place of points.js: what is measured is told to nobody.

export function collect() {}

export function countError() {}
