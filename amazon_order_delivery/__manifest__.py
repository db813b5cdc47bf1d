{
    "name": "Amazon Orders: Shipments From Deliveries",
    "summary": "Fill in shipment confirmations from deliveries and carriers",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Inventory/Delivery",
    "author": "Amazon Helpdesk Actions contributors",
    "license": "LGPL-3",
    "depends": ["amazon_order_stock", "stock_delivery"],
    "data": [
        "wizards/ship_request_views.xml",
    ],
    "uninstall_hook": "uninstall_hook",
    "installable": True,
    "auto_install": True,
}
