-- A copy of a database must not reach Amazon: without credentials no call is made.
UPDATE amazon_seller_account
   SET lwa_client_secret_sealed = NULL,
       lwa_refresh_token_sealed = NULL,
       access_token_sealed = NULL,
       access_token_expires_at = NULL;
-- Whoever watches over the original is not answered by a copy.
UPDATE res_company SET amazon_health_digest = NULL, amazon_health_token_at = NULL;
-- What waits here is sent by the original; should somebody connect the copy again, it
-- must not go out a second time.
UPDATE amazon_action
   SET state = 'blocked',
       state_message = 'Blocked in this neutralized copy of the database.'
 WHERE state IN ('to_approve', 'queued', 'sending');
UPDATE amazon_approval SET state = 'over' WHERE state = 'waiting';
-- Should somebody connect the copy again, nothing is sent before an administrator ends
-- this stop. No user is named: the copy may have others.
INSERT INTO amazon_stop (company_id, reason, started_at)
SELECT id, 'This is a neutralized copy of the database.', now() AT TIME ZONE 'UTC'
  FROM res_company
    ON CONFLICT DO NOTHING;
