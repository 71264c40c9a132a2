-- The hash that a login made anew, of the same password: sessions from before it go on. hash
-- is the proof of that one, and proof the proof that the sessions have. Where the user has
-- another hash by now, the row says nothing.
CREATE TABLE auth_rehash (
	user_id bigint PRIMARY KEY REFERENCES auth_user ON DELETE CASCADE,
	hash bytea NOT NULL,
	proof bytea NOT NULL
);
