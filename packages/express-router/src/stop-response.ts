import type { OrderReport, Preview } from '@agent-killswitch/core';
import { agentBody, stopBody } from './bodies.ts';
import type { HttpResponse } from './http.ts';

/** 200 when it is over and everybody is confirmed dead, otherwise 202 and where to look again. */
export function stopResponse(report: OrderReport): HttpResponse {
  const body = stopBody(report);
  if (report.settled && report.failed === 0) return { status: 200, body };
  return { status: 202, body, location: `/orders/${report.orderId}` };
}

export function previewResponse({ agents, ...preview }: Preview): HttpResponse {
  return { status: 200, body: { ...preview, agents: agents.map(agentBody) } };
}
