{
    "name": "Amazon Orders: Deliveries on Hold",
    "summary": "Hold the deliveries of an order while it is cancelled at Amazon",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Inventory/Inventory",
    "author": "Amazon Helpdesk Actions contributors",
    "license": "LGPL-3",
    "depends": ["amazon_order_actions", "sale_stock"],
    "data": [
        "wizards/cancel_request_views.xml",
        "views/stock_picking_views.xml",
    ],
    "assets": {
        "web.assets_tests": [
            "amazon_order_stock/static/tests/tours/**/*",
        ],
    },
    "uninstall_hook": "uninstall_hook",
    "installable": True,
    "auto_install": True,
}
