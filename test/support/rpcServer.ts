import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface RpcCall {
  method: string
  params: unknown[]
}

/** What a fake RPC answers: a result, an error, an HTTP status with a body, or nothing ever (`hang`). */
export type RpcAnswer =
  | { result: unknown }
  | { error: { code: number; message: string; data?: unknown } }
  | { status: number; headers?: Record<string, string>; body?: string }
  | { hang: true }
  | { forward: string }

export interface RpcServer {
  url: string
  calls: RpcCall[]
  /** the headers of the last request */
  headers: () => IncomingMessage['headers']
  close(): Promise<void>
}

/** A JSON-RPC server on loopback whose faults the test decides, call by call. `forward` passes a call on to another RPC. */
export async function startRpcServer(answer: (call: RpcCall, count: number) => RpcAnswer | Promise<RpcAnswer>): Promise<RpcServer> {
  const calls: RpcCall[] = []
  let headers: IncomingMessage['headers'] = {}
  const server = createServer(async (request, response) => {
    headers = request.headers
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString('utf8')
    const call = JSON.parse(body) as RpcCall & { id: number }
    calls.push({ method: call.method, params: call.params })
    await send(response, await answer(call, calls.length), call.id, body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    headers: () => headers,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function send(response: ServerResponse, answer: RpcAnswer, id: number, body: string): Promise<void> {
  if ('hang' in answer) return
  if ('status' in answer) {
    response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
    return
  }
  response.setHeader('content-type', 'application/json')
  if ('forward' in answer) {
    const forwarded = await fetch(answer.forward, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    response.end(await forwarded.text())
    return
  }
  response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }))
}
