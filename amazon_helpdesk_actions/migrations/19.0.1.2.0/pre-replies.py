def migrate(cr, version):
    """Keep what administrators wrote into the texts of the addon, which this update
    brings as they were, and has again."""
    cr.execute(
        """
        CREATE TABLE amazon_reply_template_before AS
        SELECT id, situation, stage, lang, subject, body FROM amazon_reply_template
        """
    )
    # made here, so that no default of it says whose these are
    cr.execute(
        "ALTER TABLE amazon_reply_template ADD COLUMN IF NOT EXISTS company_id integer"
    )
    cr.execute(
        """
        UPDATE ir_model_data SET noupdate = FALSE
         WHERE module = 'amazon_helpdesk_actions' AND model = 'amazon.reply.template'
        """
    )
