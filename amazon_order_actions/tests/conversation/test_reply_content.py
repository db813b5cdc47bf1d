from unittest import TestCase

from odoo.tests import tagged

from ...models.conversation.reply_content import (
    forbidden,
    visible,
)

# What agents write on a day, each a text that must pass.
ALLOWED = {
    "en": [
        "Hello,\n\nyour order 303-1234567-1234567 was shipped on 05.03.2024.",
        "We have sent the refund for your order.Please wait 3-5 days.",
        "It was sent on time.It will arrive on 12/05/2024, e.g. at noon, i.e. 12:30.",
        "The refund of 12.50 EUR (1,234.56 in total) is on its way.",
        "Please keep the file invoice.pdf and photo.jpg.",
        "Item No.5, art.no. 4711, size approx.10 cm, v2.1 of the firmware.",
        "See Your Orders on Amazon.com or amazon.co.uk.",
        "Tracking number: 00340434161094112233 (DHL), shipment 015050123456789.",
        "Your parcel 003404341610 is on its way.",
        "AMZ/00012-3 and feed 50000012345, refund amzn1:crow:abc.",
        "We are closed from 01.02.2024 - 05.02.2024, or 2024-02-01 to 2024-02-05.",
        "Everything is fine now.So we close the case.No further steps are needed.",
        "The phone case (EAN 4006381333931) is back in stock.",
        "24/7, 50/50, and/or, 3 x 5 @ 2.00",
        "We can call the carrier about order 303-1234567-1234567.",
        "Signal lamp, 10kΩ, 5µF, α-version",
    ],
    "de": [
        "Guten Tag,\n\nIhre Bestellung 303-1234567-1234567 ist da, z.B. per DHL.",
        "Die Ware ist da.Es tut uns leid, d.h. wir erstatten 44,94 €.",
        "Wir erstatten 1.234,56 € inkl.MwSt. und 0,00 EUR Versand.",
        "Artikel Nr.5, Art.Nr. 4711, ca.10 cm, u.a. mit S.A.S. und Co.KG",
        "Muster GmbH & Co.KG, St.Gallen, e.V. und e.K.",
        "Am 05.03.2024 um 09:30 Uhr, spätestens am 5.3.24.",
        "Sendungsnummer 003404341610, Paket 00340434161094112233.",
        "Die Rechnung liegt bei: rechnung.pdf, Lieferschein_2024.docx",
        "Bitte öffnen Sie Meine Bestellungen bei Amazon.de.Dort geht es weiter.",
        "Ihre Bestellung wurde geliefert.In der Regel dauert es 3-5 Tage.",
    ],
    "fr": [
        "Bonjour,\n\nvotre commande 402-3378105-8841269 a été expédiée le 05/03/2024.",
        "Nous avons remboursé 44,94 €.Il faut compter 3 à 5 jours.",
        "Le colis est arrivé.Ne vous inquiétez pas, p. ex. en cas de retard.",
        "La société S.A.R.L. Dupont, S.A., n° 5, facture.pdf",
        "Numéro de suivi : 012345678901234",
    ],
    "es": [
        "Hola:\n\nsu pedido 408-2294871-5503946 se envió el 05.03.2024.",
        "Hemos reembolsado 1.234,56 €.Si no lo recibe, escríbanos, p.ej. mañana.",
        "El paquete ha llegado.La factura es factura.pdf, núm. 5, Ud. y Sr.Pérez",
        "Número de seguimiento 012345678901234, S.L.U. y S.A.",
    ],
    "it": [
        "Buongiorno,\n\nil suo ordine 303-1234567-1234567 è partito.La ringraziamo.",
        "Data: 05/03/2024. Rimborso di 12,50 € (p.es. domani), S.p.A. e S.r.l.",
        "La spedizione 012345678901234 è arrivata.Ci scusiamo.",
    ],
}
# What Amazon does not allow, by what it is.
REFUSED = {
    "link": [
        "Visit EVIL.COM",
        "Visit Evil.Com now",
        "Besuchen Sie evil.io",
        "see evil.example.co.uk/path",
        "go to 192.168.1.1",
        "go to 8.8.8.8:80/x",
        "go to [2001:db8::1]",
        "go to 2001:db8::1",
        "javascript:alert(1)",
        "JavaScript : alert(1)",
        "data:text/html,x",
        "mailto:x",
        "tel:5551234",
        "https://evil.example",
        "hxxps://evil.example",
        "http : // evil",
        "www.evil.example",
        "Siehe nordlicht.shop",
        "shop.nordlicht.de",
        "amazon.evil.com",
        "evil-amazon.com",
        "amazon.de/gp/x",
        "amazon.com.evil.com",
        "sellercentral.amazon.de",
        "localhost",
        "evil [dot] com",
        "evil(punkt)de",
        "evil .com",
        "evil dot com",
        "xn--80ak6aa92e.com",
        "evil.xn--p1ai",
        # full-width, ideographic and one-dot-leader dots
        "evil．com",
        "evil。com",
        "evil․com",
        "ｅｖｉｌ.com",
        # Cyrillic and Greek letters that look Latin
        "еvil.cоm",
        "evil.cοm",
        "пример.рф",
        "ev\u200bil.com",
        "evil\u200b.\u2060com",
        "t.me/evil",
        "wa.me/4915112345678",
        "evil.de",
        "EVIL.DE",
        "visita evil.it",
        "evil.es",
        "visitez evil.fr",
    ],
    "address": [
        "info@evil.example",
        "INFO@EVIL.EXAMPLE",
        "info＠evil.example",
        "Telegram @evilshop",
        "in\u00adfo@evil.example",
    ],
    "phone": [
        "Call +49 30 1234567",
        "0049 30 1234567",
        "030/1234567",
        "(030) 1234567",
        "06.12.34.56.78",
        "06 12 34 56 78",
        "+34 912 345 678",
        "WhatsApp +49 151 23456789",
        "WhatsApp: 49 151 23456789",
        "Telegram 4915123456789",
        "whats app 555 123 4567",
        "Instagram: evilshop",
        "call 912 345 678",
        "llame al 912 345 678",
        "(555) 123-4567",
        "555-123-4567",
        "＋49 30 1234567",
    ],
    "invisible": [
        "ev\u200bil",
        "a\u202eb",
        "a\u00adb",
        "a\ufeffb",
        "a\u2063b",
        "a\U000e0041b",
        "a\u3164b",
    ],
    "html": ["<b>x</b>", "&lt;"],
    "empty": ["", " \n", "\u200b"],
    "placeholder": ["${amount}"],
}


@tagged("post_install", "-at_install")
class TestReplyContent(TestCase):
    """What Amazon forbids is found, and what agents write all day is not."""

    def test_texts_of_every_day_pass(self):
        for language, texts in ALLOWED.items():
            for text in texts:
                with self.subTest(language=language, text=text):
                    self.assertEqual(forbidden(text), {})

    def test_what_amazon_forbids_is_found_and_shown(self):
        for name, texts in REFUSED.items():
            for text in texts:
                with self.subTest(name=name, text=text):
                    self.assertIn(name, forbidden(text))
                    if name != "empty":
                        self.assertIn(name, forbidden(f"Hello,\n{text}\nBye."))

    def test_piece_that_was_found_can_be_found_again(self):
        for text, piece in (
            ("Sent from the warehouse of EVIL.COM today", "EVIL.COM"),
            ("Sie ist da.es tut uns leid", "da.es"),
            ("Call +49 30 1234567 today", "+49 30 1234567"),
        ):
            self.assertIn(piece, forbidden(text).values())

    def test_what_cannot_be_seen_is_left_out_of_names(self):
        self.assertEqual(visible("Ket\u00adtle\u200b"), "Kettle")
        self.assertEqual(visible(False), "")
