-- A copy of a database must not reach Amazon: without credentials no call is made.
UPDATE amazon_seller_account
   SET sending_enabled = false,
       lwa_client_secret = NULL,
       lwa_refresh_token = NULL,
       access_token = NULL,
       access_token_expires_at = NULL;
