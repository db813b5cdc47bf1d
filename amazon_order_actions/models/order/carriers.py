"""The carriers that Amazon knows by name."""

# Names of carriers that Amazon takes as carrierCode. Amazon's own list stands in Seller
# Central and differs by marketplace; these are in it according to public integrations
# (field amz_carrier_code of several Odoo connectors). A name must match exactly, and
# whoever is not listed is "Other", with the name beside it (developer-docs.amazon.com,
# changelog "CarrierCode value required in shipment confirmations").
CARRIERS = [
    ("DHL", "DHL"),
    ("DPD", "DPD"),
    ("GLS", "GLS"),
    ("Hermes", "Hermes"),
    ("UPS", "UPS"),
    ("Deutsche Post", "Deutsche Post"),
    ("FedEx", "FedEx"),
    ("USPS", "USPS"),
    ("Royal Mail", "Royal Mail"),
    ("Evri", "Evri"),
    ("Parcelforce", "Parcelforce"),
    ("Yodel", "Yodel"),
    ("La Poste", "La Poste"),
    ("Colissimo", "Colissimo"),
    ("Chronopost", "Chronopost"),
    ("Mondial Relay", "Mondial Relay"),
    ("Correos", "Correos"),
    ("Correos Express", "Correos Express"),
    ("SEUR", "SEUR"),
    ("MRW", "MRW"),
    ("BRT", "BRT"),
    ("SDA", "SDA"),
    ("Poste Italiane", "Poste Italiane"),
    ("PostNL", "PostNL"),
    ("bpost", "bpost"),
    ("PostNord", "PostNord"),
    ("InPost", "InPost"),
    ("TNT", "TNT"),
    ("Amazon Shipping", "Amazon Shipping"),
    ("Canada Post", "Canada Post"),
    ("Purolator", "Purolator"),
    ("Australia Post", "Australia Post"),
    ("Other", "Other carrier"),
]
OTHER_CARRIER = "Other"
