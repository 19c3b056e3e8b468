CREATE TABLE products (
  id          integer PRIMARY KEY,
  name        text    NOT NULL,
  description text    NOT NULL,
  category    text    NOT NULL,
  price_cents integer NOT NULL CHECK (price_cents >= 0),
  stock       integer NOT NULL CHECK (stock >= 0),
  image       text    NOT NULL
);
CREATE INDEX products_by_category ON products (category, id);

CREATE TABLE users (
  id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  email         text        NOT NULL CONSTRAINT users_email_key UNIQUE,
  password_hash text        NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now()
);

-- Columns as connect-pg-simple wants them.
CREATE TABLE sessions (
  sid    text        PRIMARY KEY,
  sess   json        NOT NULL,
  expire timestamptz NOT NULL
);
CREATE INDEX sessions_by_expire ON sessions (expire);

-- A visitor's cart belongs to nobody until log-in; a user has one for ever.
CREATE TABLE carts (
  id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id    uuid        UNIQUE REFERENCES users ON DELETE CASCADE,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX carts_of_visitors ON carts (created_at) WHERE user_id IS NULL;

CREATE TABLE cart_items (
  cart_id    uuid    NOT NULL CONSTRAINT cart_items_cart REFERENCES carts ON DELETE CASCADE,
  product_id integer NOT NULL CONSTRAINT cart_items_product REFERENCES products,
  quantity   integer NOT NULL CHECK (quantity BETWEEN 1 AND 99),
  PRIMARY KEY (cart_id, product_id)
);

CREATE TABLE orders (
  id              uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id         uuid        NOT NULL REFERENCES users,
  idempotency_key text        NOT NULL,
  status          text        NOT NULL DEFAULT 'placed' CHECK (status IN ('placed', 'fulfilled')),
  total_cents     integer     NOT NULL CHECK (total_cents >= 0),
  created_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, idempotency_key)
);
CREATE INDEX orders_of_user ON orders (user_id, created_at DESC);

-- Name and price as they were on the day.
CREATE TABLE order_items (
  order_id    uuid    NOT NULL REFERENCES orders ON DELETE CASCADE,
  product_id  integer NOT NULL REFERENCES products,
  name        text    NOT NULL,
  price_cents integer NOT NULL,
  quantity    integer NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (order_id, product_id)
);

-- Outbox: written in the order's transaction, deleted in the transaction that does the job.
CREATE TABLE jobs (
  id       bigint      PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
  kind     text        NOT NULL CHECK (kind IN ('receipt')),
  order_id uuid        NOT NULL REFERENCES orders ON DELETE CASCADE,
  run_at   timestamptz NOT NULL DEFAULT now(),
  attempts integer     NOT NULL DEFAULT 0
);
CREATE INDEX jobs_due ON jobs (run_at);

CREATE TABLE receipts (
  order_id  uuid        PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
  number    bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
  issued_at timestamptz NOT NULL DEFAULT now()
);

-- Columns as rate-limiter-flexible wants them. Counters need not survive a crash, so they skip the write-ahead log.
CREATE UNLOGGED TABLE login_attempts (
  key    varchar(255) PRIMARY KEY,
  points integer      NOT NULL DEFAULT 0,
  expire bigint
);
