-- A job's run_at moves with each attempt; its age is what the backlog is judged by.
ALTER TABLE jobs ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
