import json
import logging
from datetime import timedelta

from odoo import SUPERUSER_ID, api
from odoo.tools import SQL, sql

_logger = logging.getLogger(__name__)

# What an evidence pack was named up to 19.0.1.1.0, also where somebody who could write
# the document has changed the rest of the attachment.
PACK_NAME = r"^evidence-(.{3}-.{7}-.{7})-(de|en|es|fr)\.(pdf|zip)$"

# More than making a pack takes.
MAKING = timedelta(minutes=2)


def migrate(cr, version):
    """Move evidence packs, feeds and Amazon's reports from attachments to files of our
    own. The attachments go, and with them their access tokens: links that were given
    out lead nowhere any more."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    _move_documents_of_feeds(env)
    _move_packs(env)


def _move_documents_of_feeds(env):
    """Move what was sent and answered; the digest is the one that the feed has."""
    feeds = env["amazon.feed"]
    for part, kind in (("payload", "feed"), ("report", "report")):
        column = f"{part}_attachment_id"
        if not sql.column_exists(env.cr, feeds._table, column):
            continue
        env.cr.execute(
            SQL(
                "SELECT id, %(column)s FROM %(table)s WHERE %(column)s IS NOT NULL",
                column=SQL.identifier(column),
                table=SQL.identifier(feeds._table),
            )
        )
        for feed_id, attachment_id in env.cr.fetchall():
            feed = feeds.browse(feed_id)
            attachment = env["ir.attachment"].browse(attachment_id)
            feed[f"{part}_file_id"] = _move(
                attachment,
                feed,
                feed.company_id,
                kind,
                feed[f"{part}_digest"],
                mimetype="text/xml",
            )
    # reports of feeds that turned out to be another program's
    rest = env["ir.attachment"].search([("res_model", "=", feeds._name)])
    for attachment in rest:
        feed = feeds.browse(attachment.res_id).exists()
        if feed:
            values = {"mimetype": "text/xml"}
            _move(attachment, feed, feed.company_id, "report", False, **values)


def _move_packs(env):
    """Move the evidence packs to the documents that they were made on."""
    env.cr.execute(
        "SELECT id, (regexp_match(name, %s))[1] FROM ir_attachment"
        " WHERE description = 'amazon.evidence' OR name ~ %s ORDER BY id",
        [PACK_NAME, PACK_NAME],
    )
    for attachment_id, order_ref in env.cr.fetchall():
        attachment = env["ir.attachment"].browse(attachment_id)
        suffix = attachment.name.rpartition(".")[2]
        entry = _entry_of(attachment, order_ref, suffix)
        if not entry:
            _logger.warning(
                "The attachment %s is named like an evidence pack, and the journal has "
                "no such: look at it, and delete it where it is one.",
                attachment.id,
            )
            continue
        document = env[entry.origin_model].browse(entry.origin_id)
        _move(
            attachment,
            document,
            entry.company_id,
            "pack",
            json.loads(entry.value_after)[suffix],
            mimetype=f"application/{suffix}",
            # it was kept with the journal
            with_journal=attachment.res_model == "amazon.audit.entry",
        )


def _entry_of(attachment, order_ref, suffix):
    """Return the entry of the journal about the making of a pack: the one with its
    digest, or else, where its content was changed, the one of the same person at the
    same time, which nobody could change."""
    entries = attachment.env["amazon.audit.entry"].search(
        [("event", "=", "evidence"), ("amazon_order_ref", "=", order_ref)]
    )
    digest = attachment.env["amazon.file"]._digest(attachment.raw or b"")
    same = entries.filtered(
        lambda entry: json.loads(entry.value_after)[suffix] == digest
    )
    made_then = entries.filtered(
        lambda entry: (
            entry.user_id == attachment.create_uid
            and abs(entry.occurred_at - attachment.create_date) < MAKING
        )
    )
    return (same or made_then)[:1]


def _move(attachment, document, company, kind, digest, **values):
    """Keep the content of an attachment beside a document, and remove the attachment.

    :param digest: what the content had when it was made, False where nobody knows
    :return: the file
    """
    content = attachment.raw or b""
    file = attachment.env["amazon.file"]._keep(
        document, company, kind, attachment.name, content, **values
    )
    if digest and digest != file.digest:
        _logger.warning(
            "The attachment %s of %s was changed after it was made",
            attachment.id,
            document,
        )
    attachment.env.cr.execute(
        "UPDATE amazon_file SET create_uid = %s, create_date = %s, digest = %s"
        " WHERE id = %s",
        [
            attachment.create_uid.id,
            attachment.create_date,
            digest or file.digest,
            file.id,
        ],
    )
    file.invalidate_recordset()
    attachment.unlink()
    return file
