import { balancing } from './balancing';
import type { Kinds } from './kind';
import { machines } from './machines';
import { network } from './network';
import { operations } from './operations';
import { scaling } from './scaling';
import { state } from './state';

export * from './kind';

/** Resource types that are compared with their service's description. All others count as existing if CloudFormation lists them. */
export const kinds: Kinds = { ...network, ...machines, ...scaling, ...balancing, ...state, ...operations };
