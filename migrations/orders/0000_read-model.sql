CREATE TABLE `checkpoints` (
	`name` text PRIMARY KEY NOT NULL,
	`position` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `orders` (
	`order_id` text PRIMARY KEY NOT NULL,
	`customer_id` text NOT NULL,
	`status` text NOT NULL,
	`reason` text,
	`detail` text,
	`lines` text NOT NULL,
	`total` text NOT NULL,
	`placed_at` text NOT NULL,
	`confirmed_at` text,
	`rejected_at` text,
	`cancelled_at` text
);
--> statement-breakpoint
CREATE INDEX `orders_by_customer` ON `orders` (`customer_id`,`order_id`);--> statement-breakpoint
CREATE INDEX `orders_by_status` ON `orders` (`status`,`order_id`);