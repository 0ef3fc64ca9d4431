/** What the service answers, as far as this page reads it. */
export interface Me {
  readonly principal: { readonly id: string; readonly kind: string };
  readonly may: {
    readonly emergencyStop: boolean;
    readonly release: boolean;
    readonly workspaces: readonly {
      readonly workspaceId: string;
      readonly killAll: boolean;
      readonly release: boolean;
    }[];
  };
}

export type Scope =
  | { agent: string }
  | { task: string }
  | { workspace: string }
  | { backend: string }
  | { everything: true };

export interface Gate {
  readonly orderId: string;
  readonly scope: Scope;
  readonly opens: 'at-settle' | 'on-release' | 'never';
  readonly reason: string;
  readonly principal: { readonly id: string; readonly kind: string };
  readonly shutAt: string;
}

export interface Status {
  readonly auditDegraded: boolean;
  readonly gates: readonly Gate[];
  readonly gatesLeftOff: boolean;
  readonly openOrders: readonly {
    readonly orderId: string;
    readonly scope: Scope;
    readonly reason: string;
    readonly principal: { readonly id: string };
    readonly requestedAt: string;
  }[];
}

export interface Agent {
  readonly agentId: string;
  readonly taskId: string;
  readonly workspaceId: string;
  readonly ownerId: string;
  readonly backendId: string;
  readonly agentType?: string;
  readonly status: 'spawning' | 'running' | 'killing';
  readonly spawnedAt: string;
  readonly mayKill: boolean;
  readonly orderIds?: readonly string[];
}

export interface Preview {
  readonly total: number;
  readonly byStatus: Record<string, number>;
  readonly tasks: number;
  readonly workspaces: number;
  readonly agents: readonly Omit<Agent, 'mayKill'>[];
}
