-- Failures are forgotten one by one, and until when that was done is here.
ALTER TABLE auth_attempt ADD COLUMN forgotten_until timestamptz NOT NULL DEFAULT now();
