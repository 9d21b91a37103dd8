/**
 * The URL of a module beside the caller's, with the extension the caller itself runs as: `.ts` from the sources, `.js` when
 * compiled. tsc does not rewrite names inside `new URL`.
 * @example findSibling('worker', 'file:///cuckoo/dist/inference/createEngine.js').pathname // '/cuckoo/dist/inference/worker.js'
 */
export function findSibling(name: string, callerUrl: string): URL {
  return new URL(`./${name}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl)
}
