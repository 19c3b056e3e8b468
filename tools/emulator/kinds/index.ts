import { balancing } from './balancing';
import type { Kinds } from './kind';
import { machines } from './machines';
import { network } from './network';
import { operations } from './operations';
import { scaling } from './scaling';
import { state } from './state';

export * from './kind';

/** Types that are described by their own service; the others are told as CloudFormation lists them. */
export const kinds: Kinds = { ...network, ...machines, ...scaling, ...balancing, ...state, ...operations };
