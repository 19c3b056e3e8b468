import { type TProperties, Type } from 'typebox';
import { MAX_IDEMPOTENCY_KEY, MAX_QUANTITY } from '../limits';

/*
 * Every schema of a request. `npm run validators` compiles them into `app/http/validators`, under their `$id`.
 */

/** Unknown fields of a body are errors of the client. */
const Body = <Properties extends TProperties>($id: string, properties: Properties) =>
  Type.Object(properties, { $id, additionalProperties: false });

const Parameters = <Properties extends TProperties>($id: string, properties: Properties) =>
  Type.Object(properties, { $id });

const ProductId = Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 });

/** Accepts every password that was accepted at signup. */
const loginFields = {
  email: Type.String({ minLength: 1, maxLength: 254 }),
  password: Type.String({ minLength: 1, maxLength: 200 }),
};

/** Password strength comes from length. */
const signupFields = {
  email: Type.String({ maxLength: 254, pattern: '^\\s*[^\\s@]+@[^\\s@]+\\.[^\\s@]+\\s*$' }),
  password: Type.String({ minLength: 8, maxLength: 200 }),
};

const itemFields = { productId: ProductId, quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY }) };

const idempotencyKey = Type.String({ minLength: 1, maxLength: MAX_IDEMPOTENCY_KEY });

/** Pattern of the path after a login. Only paths of this shop, because a link could redirect visitors to another site. */
export const NEXT_PATH = '^(|/|/[^/\\\\\\s][^\\\\\\s]*)$';

const next = Type.Optional(Type.String({ maxLength: 200, pattern: NEXT_PATH }));

export const LogIn = Body('LogIn', loginFields);
export const SignUp = Body('SignUp', signupFields);
export const NewItem = Body('NewItem', itemFields);

export const LogInForm = Body('LogInForm', { ...loginFields, next });
export const SignUpForm = Body('SignUpForm', { ...signupFields, next });
export const NewItemForm = Body('NewItemForm', itemFields);
export const NewOrderForm = Body('NewOrderForm', { idempotencyKey });

/** Bounded, because each combination is a cache entry. */
export const CatalogQuery = Parameters('CatalogQuery', {
  category: Type.Optional(Type.String({ maxLength: 60 })),
  q: Type.Optional(Type.String({ maxLength: 100 })),
  page: Type.Integer({ minimum: 1, maximum: 10_000, default: 1 }),
});
export const ProductParams = Parameters('ProductParams', { id: Type.String({ maxLength: 20 }) });
export const ItemParams = Parameters('ItemParams', { productId: ProductId });
export const OrderHeaders = Parameters('OrderHeaders', { 'idempotency-key': idempotencyKey });
export const OrderParams = Parameters('OrderParams', { id: Type.String({ maxLength: 60 }) });
export const OrderQuery = Parameters('OrderQuery', { placed: Type.Optional(Type.Boolean()) });
export const LoginQuery = Parameters('LoginQuery', {
  mode: Type.Optional(Type.Union([Type.Literal('login'), Type.Literal('signup')])),
  next,
});

/** Bodies in JSON have types. */
export const JSON_BODIES = [LogIn, SignUp, NewItem];

/** Paths, query strings, headers and forms are text: `"2"` is a number there. */
export const TEXTS = [
  ...[LogInForm, SignUpForm, NewItemForm, NewOrderForm],
  ...[CatalogQuery, ProductParams, ItemParams, OrderHeaders, OrderParams, OrderQuery, LoginQuery],
];
