# Up to 19.0.1.1.0 the key of a financial event that has Amazon's number of the
# adjustment began with the date of posting, which Amazon may move.
NEW_KEY = "'events' || substr(event_key, strpos(event_key, '|'))"
OLD = "source = 'events' AND adjustment_ref <> '' AND event_key NOT LIKE 'events|%'"


def migrate(cr, version):
    """Know the refunds that were recorded by keys that stay the same, so that none of
    them counts again; what counted twice counts once."""
    cr.execute("UPDATE amazon_order_refund SET sku = split_part(event_key, '|', 2)")
    cr.execute(
        f"""
        DELETE FROM amazon_order_refund AS refund
         USING (
               SELECT id,
                      row_number() OVER (
                          PARTITION BY order_id, {NEW_KEY}
                          ORDER BY action_id NULLS LAST, id) AS place
                 FROM amazon_order_refund
                WHERE {OLD}) AS known
         WHERE known.id = refund.id AND known.place > 1
        """  # noqa: S608 - of constants alone
    )
    cr.execute(
        f"UPDATE amazon_order_refund SET event_key = {NEW_KEY} WHERE {OLD}"  # noqa: S608 - of constants alone
    )
