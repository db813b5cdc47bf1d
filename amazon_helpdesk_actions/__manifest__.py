{
    "name": "Amazon Helpdesk Actions",
    "summary": "Refund and cancel Amazon orders from the helpdesk ticket",
    "version": "19.0.1.0.0",
    "development_status": "Beta",
    "category": "Services/Helpdesk",
    "author": "Amazon Helpdesk Actions contributors",
    "license": "AGPL-3",
    "depends": ["helpdesk_mgmt_sale", "queue_job"],
    "external_dependencies": {
        "python": [
            "python-amazon-sp-api",
            "httpx",
            "lxml",
            "requests",
            "tenacity",
        ],
    },
    "data": [
        # Groups first: everything else refers to them
        "security/amazon_helpdesk_actions_security.xml",
        "security/ir.model.access.csv",
        "data/ir_sequence_data.xml",
        "data/queue_job_data.xml",
        "data/ir_actions_server_data.xml",
        "wizards/amazon_refund_request_views.xml",
        "wizards/amazon_cancel_request_views.xml",
        "views/amazon_seller_account_views.xml",
        "views/amazon_order_views.xml",
        "views/amazon_action_views.xml",
        "views/amazon_feed_views.xml",
        "views/amazon_audit_entry_views.xml",
        "views/helpdesk_ticket_views.xml",
        "views/sale_order_views.xml",
        "views/amazon_menus.xml",
    ],
    "demo": [
        "demo/res_users_demo.xml",
        "demo/amazon_seller_account_demo.xml",
        "demo/res_partner_demo.xml",
        "demo/product_product_demo.xml",
        "demo/sale_order_demo.xml",
        "demo/helpdesk_ticket_demo.xml",
    ],
    "assets": {
        "web.assets_backend": [
            "amazon_helpdesk_actions/static/src/**/*",
        ],
        "web.assets_tests": [
            "amazon_helpdesk_actions/static/tests/tours/**/*",
        ],
    },
    "installable": True,
}
