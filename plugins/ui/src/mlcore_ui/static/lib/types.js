// Shapes of answers that several pages use; for readers and the type check, there is nothing to run here.

/** Asks the server for keys by words of their names. @typedef {(search: string, signal?: AbortSignal) => Promise<{keys: Facet[], more: number}>} Find */
/** A key of runs:facets. @typedef {{column: string, kind: "param"|"metric"|"tag"|"attribute", count: number, distinct: number, numeric: boolean, min?: number, max?: number, values?: [string, number][]}} Facet */
/** A run of runs:table, as rows of the table and the selection hold it. @typedef {{run_id: string, run_name: string, lifecycle_stage?: string, [more: string]: any}} RunRow */
/** An experiment. @typedef {{experiment_id: string, name: string, lifecycle_stage: string, tags?: {key: string, value: string}[], [more: string]: any}} Experiment */
/** A question of runs:table. @typedef {{experiment_ids: string[], filter: string, columns: string[], group_by: string[], [more: string]: any}} Question */
/** What a page of an answer may be asked with. @typedef {{token?: string, most?: number, signal?: AbortSignal}} Paging */

export {};
