-- What hashes there are besides those of today is looked up at each failed attempt to log
-- in, so that it takes as long for one name as for another.
-- cotenant:allow index-blocks-writes: a tenant has few users, and who logs in meanwhile waits a moment
CREATE INDEX auth_user_hash_kind ON auth_user (substring(password FROM '^(pbkdf2_sha256[$][0-9]+|(?:argon2)?[$]argon2id[$]v=[0-9]+[$]m=[0-9]+,t=[0-9]+,p=[0-9]+)[$]'));
