-- What Django has otherwise: sessions, and attempts to log in.
CREATE TABLE auth_session (
	token text PRIMARY KEY,
	tenant_id bigint NOT NULL,
	user_id bigint,
	shared boolean NOT NULL DEFAULT false,
	data bytea NOT NULL,
	expiry timestamptz NOT NULL
);
CREATE INDEX auth_session_user_id ON auth_session (user_id);
CREATE INDEX auth_session_expiry ON auth_session (expiry);

CREATE TABLE auth_attempt (
	key bytea PRIMARY KEY,
	failures int NOT NULL,
	last_failure timestamptz NOT NULL
);
CREATE INDEX auth_attempt_last_failure ON auth_attempt (last_failure);
