-- Who this session is.
SELECT /* pg95 */ current_user::text AS role, current_database()::text AS database
