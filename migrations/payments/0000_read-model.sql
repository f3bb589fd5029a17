CREATE TABLE `checkpoints` (
	`name` text PRIMARY KEY NOT NULL,
	`position` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `payments` (
	`order_id` text PRIMARY KEY NOT NULL,
	`status` text NOT NULL,
	`amount` integer,
	`currency` text,
	`authorisation_id` text,
	`detail` text,
	`authorised_at` text,
	`declined_at` text,
	`voided_at` text
);
