import { registry } from "@web/core/registry";

const PANEL = ".o_amazon_order_panel";
const INPUTS = ".modal .o_amazon_refund_inputs";

const see = (content, trigger) => ({ content, trigger });

const seeTotal = (amount) =>
    see(
        `The buyer gets ${amount}`,
        `.modal .fs-2 .o_field_widget[name='total']:contains(${amount})`
    );

const seeRemaining = (amount) =>
    see(
        `Still refundable after it: ${amount}`,
        `.modal .o_field_widget[name='remaining']:contains(${amount})`
    );

const openDialog = () => ({
    content: "Open the dialog",
    trigger: ".o_statusbar_buttons button:contains(Refund)",
    run: "click",
});

const chooseMode = (label) => ({
    content: `Choose: ${label}`,
    trigger: `.modal .o_field_widget[name='mode'] label:contains(/^${label}$/)`,
    run: "click",
});

const editCell = (row, name, value) => [
    {
        content: `Click into ${name} of row ${row}`,
        trigger: `.modal .o_data_row:nth-child(${row}) .o_data_cell[name='${name}']`,
        run: "click",
    },
    {
        content: `Type ${value}`,
        trigger: `.modal .o_data_row:nth-child(${row}) .o_field_widget[name='${name}'] input`,
        run: `edit ${value}`,
    },
];

const editInput = (name, value) => ({
    content: `Type ${value} into ${name}`,
    trigger: `${INPUTS} .o_field_widget[name='${name}'] input`,
    run: `edit ${value}`,
});

const confirm = (label = "Refund the Buyer") => ({
    content: label,
    trigger: `.modal-footer button:contains(${label})`,
    run: "click",
});

const seeQueued = (amount) =>
    see(
        "The panel says what is asked for",
        `${PANEL} .o_amazon_action[data-state='queued']:contains(${amount})`
    );

registry.category("web_tour.tours").add("amazon_refund_one_click", {
    steps: () => [
        openDialog(),
        seeTotal("44.94"),
        see("The usual reason is filled in", ".modal [name='reason'] input:value(Customer return)"),
        confirm(),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeQueued("44.94"),
    ],
});

registry.category("web_tour.tours").add("amazon_refund_percentage", {
    steps: () => [
        openDialog(),
        seeTotal("54.95"),
        chooseMode("Percentage"),
        see("Nothing is chosen yet", ".modal .text-danger:contains(above zero)"),
        // 20 % off one of three items
        ...editCell(2, "percentage", "20"),
        {
            content: "Leave the cell",
            trigger: ".modal .modal-title",
            run: "click",
        },
        seeTotal("2.00"),
        seeRemaining("52.95"),
        see("The others stay as they are", ".modal .o_data_row:nth-child(1) [name='total']:contains(0.00)"),
        // off all of them: the parts add up to the percentage of the sum
        editInput("percentage", "20"),
        {
            content: "Leave the field",
            trigger: ".modal .modal-title",
            run: "click",
        },
        seeTotal("9.99"),
        seeRemaining("44.96"),
        // and back to one
        editInput("percentage", "0"),
        ...editCell(2, "percentage", "20"),
        {
            content: "Open the reasons",
            trigger: ".modal .o_field_widget[name='reason'] input",
            run: "click",
        },
        see(
            "What fits a lower price comes first",
            ".o_select_menu_item:first:contains(General adjustment)"
        ),
        {
            content: "Choose a reason",
            trigger: ".o_select_menu_item:contains(General adjustment)",
            run: "click",
        },
        seeTotal("2.00"),
        see("What it means at Amazon", ".modal .o_amazon_refund_hints:contains(First Scan)"),
        confirm(),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeQueued("2.00"),
    ],
});

registry.category("web_tour.tours").add("amazon_refund_modes", {
    steps: () => [
        openDialog(),
        chooseMode("Items"),
        seeTotal("0.00"),
        ...editCell(1, "quantity", "1"),
        {
            content: "Leave the cell",
            trigger: ".modal .modal-title",
            run: "click",
        },
        seeTotal("9.99"),
        editInput("restocking_fee", "2"),
        {
            content: "Leave the field",
            trigger: ".modal .modal-title",
            run: "click",
        },
        seeTotal("7.99"),
        editInput("restocking_fee", "0"),
        chooseMode("Shipping only"),
        seeTotal("4.99"),
        chooseMode("Goodwill"),
        seeTotal("0.00"),
        editInput("amount", "5"),
        {
            content: "Leave the field",
            trigger: ".modal .modal-title",
            run: "click",
        },
        seeTotal("5.00"),
        chooseMode("By component"),
        seeTotal("5.00"),
        ...editCell(1, "shipping", "6"),
        {
            content: "Leave the cell",
            trigger: ".modal .modal-title",
            run: "click",
        },
        see("It is too much", ".modal .text-danger:contains(of Shipping can still be refunded)"),
        ...editCell(1, "shipping", "1.5"),
        {
            content: "Leave the cell",
            trigger: ".modal .modal-title",
            run: "click",
        },
        seeTotal("6.50"),
        chooseMode("Amount"),
        seeTotal("5.00"),
        editInput("amount", "0"),
        {
            content: "Leave the field",
            trigger: ".modal .modal-title",
            run: "click",
        },
        seeTotal("0.00"),
        ...editCell(3, "amount", "1.23"),
        confirm(),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeQueued("1.23"),
    ],
});

registry.category("web_tour.tours").add("amazon_refund_second", {
    steps: () => [
        openDialog(),
        see("It was refunded before", ".modal .o_amazon_refund_second:contains(refunded before)"),
        confirm(),
        see("It must be meant", ".modal:contains(Tick that this second refund is meant)"),
        {
            content: "Close the message",
            trigger: ".modal:contains(Tick that this second) .modal-footer button",
            run: "click",
        },
        {
            content: "Mean it",
            trigger: ".modal .o_amazon_refund_second input[type='checkbox']",
            run: "click",
        },
        confirm(),
        see("The dialog is closed", "body:not(:has(.modal))"),
        seeQueued("34.94"),
    ],
});

registry.category("web_tour.tours").add("amazon_refund_fba_rejected", {
    steps: () => [
        {
            content: "Record what was done by hand",
            trigger: `${PANEL} .o_amazon_action[data-state='rejected'] .o_amazon_action_record`,
            run: "click",
        },
        see("It is done in Seller Central", ".modal .alert-info:contains(Seller Central)"),
        seeTotal("4.00"),
        {
            content: "Say what was done",
            trigger: ".modal .o_field_widget[name='note'] textarea",
            run: "edit Refunded 4.00 at 10:15",
        },
        confirm("Record as Refunded in Seller Central"),
        see(
            "It is recorded",
            `${PANEL} .o_amazon_action[data-state='assisted']:contains(4.00)`
        ),
    ],
});
